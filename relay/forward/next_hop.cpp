#include "relay/forward/next_hop.hpp"

namespace relay::forward {

namespace {

TlsDemand demand_of(settings::TlsDemand demand) {
  switch (demand) {
    case settings::TlsDemand::Auto:
      return TlsDemand::Auto;
    case settings::TlsDemand::Require:
      return TlsDemand::Require;
    case settings::TlsDemand::Verify:
      return TlsDemand::Verify;
    case settings::TlsDemand::None:
      return TlsDemand::None;
  }
  return TlsDemand::Auto;
}

}  // namespace

NextHopTable NextHopTable::make(const settings::Settings& settings) {
  NextHopTable table;
  for (const settings::Route& route : settings.routes) {
    std::vector<NextHop> hops;
    for (const settings::Via& via : route.via) {
      hops.push_back({via.host, via.port, demand_of(route.tls)});
    }
    // Written first, matched first: a later route for the same name is never reached.
    if (route.match == "*") {
      if (!table.all_) table.all_ = std::move(hops);
    } else if (route.match.starts_with("*.")) {
      table.below_.try_emplace(route.match.substr(2), std::move(hops));
    } else {
      table.exact_.try_emplace(route.match, std::move(hops));
    }
  }
  return table;
}

std::optional<std::vector<NextHop>> NextHopTable::match(const std::string& folded_domain) const {
  if (const auto hit = exact_.find(folded_domain); hit != exact_.end()) return hit->second;
  for (std::size_t dot = folded_domain.find('.'); dot != std::string::npos && !below_.empty();
       dot = folded_domain.find('.', dot + 1)) {
    if (const auto hit = below_.find(folded_domain.substr(dot + 1)); hit != below_.end()) {
      return hit->second;
    }
  }
  return all_;
}

}  // namespace relay::forward
