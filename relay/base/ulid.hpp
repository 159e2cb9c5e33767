// Message ids. A ULID is 48 bits of milliseconds and 80 random bits, written as 26 characters of
// Crockford base32: it sorts by time, and cannot be guessed from another id.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "relay/base/time.hpp"

namespace relay::base {

class Ulid {
 public:
  Ulid() = default;  ///< all zero; never the id of a message

  explicit Ulid(const std::array<std::uint8_t, 16>& octets) : octets_(octets) {}

  static Ulid make(WallTime now, const std::array<std::uint8_t, 10>& random);

  /// A new id with octets from the system's random source. Thread-safe.
  static Ulid generate(WallTime now);

  /// Exactly 26 characters, case-insensitive; nullopt otherwise.
  static std::optional<Ulid> parse(std::string_view text);

  std::string to_string() const;

  WallTime time() const;

  const std::array<std::uint8_t, 16>& octets() const { return octets_; }

  friend auto operator<=>(const Ulid&, const Ulid&) = default;

 private:
  std::array<std::uint8_t, 16> octets_{};
};

}  // namespace relay::base

template <>
struct std::hash<relay::base::Ulid> {
  std::size_t operator()(const relay::base::Ulid& id) const noexcept;
};
