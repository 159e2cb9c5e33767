// Limits TLS handshakes, which cost us far more than the client: how many run at once in total and
// for one network, and how fast one client may begin them. A place is held from the first octet of
// the handshake on; waiting for that octet is free.
#pragma once

#include <optional>

#include "relay/base/rate_table.hpp"
#include "relay/inbound/fair_share.hpp"
#include "relay/inbound/policy.hpp"

namespace relay::inbound {

/// Thread-safe; bounded. An empty origin takes a place of the total and is counted nowhere else.
class Handshakes {
 public:
  /// A network may hold 1/kNetworkPart of all places.
  static constexpr std::uint32_t kNetworkPart = 4;

  explicit Handshakes(ports::Clock& clock) : clock_(clock), places_(clock) {}

  /// Asked at STARTTLS, and each call counts. False: the client asks too fast, or there is no free
  /// place.
  bool may_begin(const base::Origin& origin, const Limits& limits);

  /// A place, held while the handshake runs; nullopt: none is free.
  std::optional<FairShare::Holding> enter(const base::Origin& origin, const Limits& limits);

 private:
  ports::Clock& clock_;
  FairShare places_;
  base::RateTable beginnings_;  ///< by client
};

}  // namespace relay::inbound
