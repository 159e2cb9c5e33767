#include "relay/delivery/destination.hpp"

#include <string_view>

namespace relay::delivery {

namespace {

// The blank keeps it apart from any domain name, the beginning from any route.
constexpr std::string_view kRiskPrefix = "risk pool ";

}  // namespace

Destination destination_of(const std::string& folded_domain, bool risk_pool, const Policy& policy) {
  Destination destination{folded_domain, folded_domain, {}, risk_pool};
  auto hops = policy.routes ? policy.routes->match(folded_domain) : std::nullopt;
  if (hops && !hops->empty()) {
    destination.hops = std::move(*hops);
    destination.key.clear();
    for (const auto& hop : destination.hops) {
      // The colon keeps a route apart from any domain name.
      destination.key += hop.host + ':' + std::to_string(hop.port) + ' ';
    }
  }
  if (risk_pool) destination.key.insert(0, kRiskPrefix);
  return destination;
}

Destination destination_of(const mail::Route& route, const Policy& policy) {
  return destination_of(route.target.domain().folded(), route.handling.risk_pool, policy);
}

}  // namespace relay::delivery
