// What keeps mail from leaving.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "relay/base/time.hpp"

namespace relay::ports {

/// A rule by which mail does not leave, until the operator ends it or its time is over.
struct PauseRule {
  enum class Kind : std::uint8_t {
    Host,    ///< mx: the name of a host or group, or its ending after a dot
    Domain,  ///< domain: of the forward-path
    Alias,   ///< alias: the forward-path
  };

  Kind kind = Kind::Host;
  std::string value;  ///< folded
  std::string reason;
  base::WallTime since;                 ///< by the store's clock
  std::optional<base::WallTime> until;  ///< nullopt: until it is removed

  friend bool operator==(const PauseRule&, const PauseRule&) = default;
};

}  // namespace relay::ports
