#include "relay/inbound/handshakes.hpp"

#include <algorithm>
#include <utility>

namespace relay::inbound {

namespace {

ShareLimits share_of(const Limits& limits) {
  return {.total = limits.handshakes,
          .per_network = std::max(limits.handshakes / Handshakes::kNetworkPart, 1U),
          .leaves_room = limits.handshakes > 1};
}

}  // namespace

bool Handshakes::may_begin(const base::Origin& origin, const Limits& limits) {
  if (!beginnings_.take(origin, limits.handshakes_from_client, clock_.steady())) return false;
  return places_.has_room(origin, share_of(limits), 1);
}

std::optional<FairShare::Holding> Handshakes::enter(const base::Origin& origin,
                                                    const Limits& limits) {
  auto place = places_.open(origin, share_of(limits));
  if (!place.hold(1)) return std::nullopt;
  return place;
}

}  // namespace relay::inbound
