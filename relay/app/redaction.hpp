// How the log shows addresses (guarantee "A redacted log has no local part").
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "relay/settings/settings.hpp"

namespace relay::app {

class Redaction {
 public:
  using Digest = std::function<std::string(const std::string& address)>;

  Redaction() = default;  ///< shows everything

  /// `digest` is used in mode Hash only.
  Redaction(settings::LogRedact mode, Digest digest) : mode_(mode), digest_(std::move(digest)) {}

  bool active() const { return mode_ != settings::LogRedact::None; }

  /// The log line with every mail address redacted, also in remote replies. Precondition: where our
  /// own events name a local part, they name the whole address. The field message_id, which looks
  /// like an address, is kept.
  std::string redacted(std::string_view whole) const;

 private:
  std::string shown(std::string_view local_part, std::string_view domain) const;

  settings::LogRedact mode_ = settings::LogRedact::None;
  Digest digest_;
};

}  // namespace relay::app
