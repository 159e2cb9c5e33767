#include "relay/forward/next_hop.hpp"

namespace relay::forward {

NextHopTable::NextHopTable(const std::vector<RouteRule>& rules) {
  for (const RouteRule& rule : rules) hops_.add(rule.match, rule.hops);
}

std::optional<std::vector<NextHop>> NextHopTable::match(const std::string& folded_domain) const {
  const std::vector<NextHop>* hops = hops_.find(folded_domain);
  return hops ? std::optional(*hops) : std::nullopt;
}

}  // namespace relay::forward
