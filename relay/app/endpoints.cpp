#include "relay/app/endpoints.hpp"

#include <algorithm>

#include <boost/asio/ip/address.hpp>

#include "relay/settings/listener.hpp"

namespace relay::app {

std::vector<ports::Endpoint> endpoints_of(const settings::Listener& listener) {
  std::vector<ports::Endpoint> endpoints;
  for (const auto& address : listener.addresses) {
    endpoints.push_back({boost::asio::ip::make_address(address.host), address.port});
  }
  return endpoints;
}

std::vector<ports::Endpoint> reached_endpoints_of(const settings::Listener& listener) {
  auto endpoints = endpoints_of(listener);
  for (const auto& address : listener.addresses) {
    if (!address.takes_ipv4) continue;
    endpoints.push_back({boost::asio::ip::address_v4::any(), address.port});
  }
  return endpoints;
}

std::vector<ports::Endpoint> endpoints_of(const std::vector<settings::Listener>& listeners) {
  std::vector<ports::Endpoint> endpoints;
  for (const auto& listener : listeners) {
    for (const auto& endpoint : endpoints_of(listener)) endpoints.push_back(endpoint);
  }
  return endpoints;
}

bool contains(std::span<const ports::Endpoint> all, const ports::Endpoint& one) {
  return std::ranges::find(all, one) != all.end();
}

}  // namespace relay::app
