// Enhanced status codes (RFC 3463): class.subject.detail.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace relay::mail {

struct EnhancedStatus {
  std::uint16_t klass = 2;    ///< 2, 4 or 5
  std::uint16_t subject = 0;  ///< 0-999
  std::uint16_t detail = 0;   ///< 0-999

  std::string to_string() const;

  /// Parses a leading "x.y.z" followed by a space or the end; nullopt otherwise. `rest`, when
  /// given, receives the text behind it.
  static std::optional<EnhancedStatus> parse(std::string_view text,
                                             std::string_view* rest = nullptr);

  friend bool operator==(const EnhancedStatus&, const EnhancedStatus&) = default;
};

}  // namespace relay::mail
