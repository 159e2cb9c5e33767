// What the hosts of a target domain want of the copies for it: [[target]].
#pragma once

#include <optional>
#include <string>

namespace relay::forward {

enum class SealWhen {
  Always,
  WhenUseful,  ///< when it tells the next hop what it cannot verify itself
  Never,
};

enum class KeepOrSrs { Srs, Keep };

/// Applied when a message is accepted.
struct Target {
  std::string match;            ///< "*", "*.corp.example" or a domain, folded
  std::optional<SealWhen> arc;  ///< absent: the setting of [arc]
  KeepOrSrs sender = KeepOrSrs::Srs;
};

}  // namespace relay::forward
