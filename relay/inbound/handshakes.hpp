// TLS handshakes cost far more than the client that asks for one pays. How many run at once, of all
// and of one network, and how fast one client may ask. A place is held from the first octet of the
// handshake on: waiting for that costs nothing.
#pragma once

#include <optional>

#include "relay/base/rate_table.hpp"
#include "relay/inbound/fair_share.hpp"
#include "relay/inbound/policy.hpp"

namespace relay::inbound {

/// Thread-safe; bounded. An empty origin takes one of all places, and is counted nowhere else.
class Handshakes {
 public:
  /// A network may have this part of all places.
  static constexpr std::uint32_t kNetworkPart = 4;

  explicit Handshakes(ports::Clock& clock) : clock_(clock), places_(clock) {}

  /// At STARTTLS, each of which counts: false when the client asks too fast, or has no place to
  /// hope for now.
  bool may_begin(const base::Origin& origin, const Limits& limits);

  /// A place, or nullopt.
  std::optional<FairShare::Holding> enter(const base::Origin& origin, const Limits& limits);

 private:
  ports::Clock& clock_;
  FairShare places_;
  base::RateTable beginnings_;  ///< by client
};

}  // namespace relay::inbound
