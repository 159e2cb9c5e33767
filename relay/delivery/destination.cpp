#include "relay/delivery/destination.hpp"

namespace relay::delivery {

Destination destination_of(const std::string& folded_domain, const Policy& policy) {
  Destination destination{folded_domain, folded_domain, {}};
  if (!policy.routes) return destination;
  auto hops = policy.routes->match(folded_domain);
  if (!hops || hops->empty()) return destination;
  destination.hops = std::move(*hops);
  destination.key.clear();
  for (const auto& hop : destination.hops) {
    // The colon keeps a route apart from any domain name.
    destination.key += hop.host + ':' + std::to_string(hop.port) + ' ';
  }
  return destination;
}

}  // namespace relay::delivery
