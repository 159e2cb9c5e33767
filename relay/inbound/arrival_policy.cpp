#include "relay/inbound/arrival_policy.hpp"

#include <algorithm>

namespace relay::inbound {

const ListenerPolicy& ArrivalPolicy::listener_at(const ports::Endpoint& local) const {
  static const ListenerPolicy nothing_special;
  const ports::Endpoint exact{base::plain_address(local.address), local.port};
  const ListenerPolicy* found = &nothing_special;
  for (const ListenerPolicy& listener : listeners) {
    for (const ports::Endpoint& at : listener.at) {
      if (at == exact) return listener;
      const bool is_everywhere = at.address.is_unspecified() && at.port == exact.port &&
                                 at.address.is_v4() == exact.address.is_v4();
      if (is_everywhere) found = &listener;
    }
  }
  return *found;
}

const GatewayPolicy* ArrivalPolicy::gateway_at(const boost::asio::ip::address& client) const {
  const auto found = std::ranges::find_if(
      gateways, [&](const GatewayPolicy& gateway) { return base::contains(gateway.from, client); });
  return found == gateways.end() ? nullptr : &*found;
}

bool ArrivalPolicy::exempts(const boost::asio::ip::address& client) const {
  return base::contains(exempt, client) || gateway_at(client) != nullptr;
}

}  // namespace relay::inbound
