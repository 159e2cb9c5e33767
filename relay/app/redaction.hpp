// How the log shows addresses (guarantee "A redacted log has no local part").
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace relay::settings {
enum class LogRedact : std::uint8_t;
}

namespace relay::app {

class Redaction {
 public:
  using Digest = std::function<std::string(const std::string& address)>;

  Redaction();  ///< shows everything

  /// `digest` is used in mode Hash only.
  Redaction(settings::LogRedact mode, Digest digest);

  bool active() const;

  /// The log line with every mail address redacted, also in remote replies. Precondition: where our
  /// own events name a local part, they name the whole address. The field message_id, which looks
  /// like an address, is kept.
  std::string redacted(std::string_view whole) const;

 private:
  std::string shown(std::string_view local_part, std::string_view domain) const;

  settings::LogRedact mode_;
  Digest digest_;
};

}  // namespace relay::app
