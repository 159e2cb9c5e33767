#include "relay/delivery/destination.hpp"

namespace relay::delivery {

ports::LaneKey lane_of(const mail::Route& route) {
  return {.domain = route.target.domain().folded(), .risk_pool = route.handling.risk_pool};
}

Destination destination_of(const ports::LaneKey& lane, const Policy& policy) {
  Destination destination{.lane = lane, .hops = {}};
  auto hops = policy.routes ? policy.routes->match(lane.domain) : std::nullopt;
  if (hops) destination.hops = std::move(*hops);
  return destination;
}

}  // namespace relay::delivery
