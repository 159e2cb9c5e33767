#include "relay/forward/next_hop.hpp"

namespace relay::forward {

namespace {

mail::TlsDemand demand_of(settings::TlsDemand demand) {
  switch (demand) {
    case settings::TlsDemand::Auto:
      return {.level = mail::TlsLevel::May};
    case settings::TlsDemand::Require:
      return {.level = mail::TlsLevel::Encrypt};
    case settings::TlsDemand::Verify:
      return {.level = mail::TlsLevel::Verify};
    case settings::TlsDemand::None:
      return {.level = mail::TlsLevel::Never};
  }
  return {.level = mail::TlsLevel::Verify};
}

}  // namespace

NextHopTable NextHopTable::make(const settings::Settings& settings) {
  NextHopTable table;
  for (const settings::Route& route : settings.routes) {
    std::vector<NextHop> hops;
    for (const settings::Via& via : route.via) {
      hops.push_back({via.host, via.port, demand_of(route.tls)});
    }
    table.hops_.add(route.match, std::move(hops));
  }
  return table;
}

std::optional<std::vector<NextHop>> NextHopTable::match(const std::string& folded_domain) const {
  const std::vector<NextHop>* hops = hops_.find(folded_domain);
  return hops ? std::optional(*hops) : std::nullopt;
}

}  // namespace relay::forward
