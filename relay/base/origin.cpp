#include "relay/base/origin.hpp"

#include <algorithm>
#include <cstddef>

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>

#include "relay/base/network.hpp"

namespace relay::base {

namespace ip = boost::asio::ip;

namespace {

constexpr std::size_t kNetworkOctets = 8;  // IPv6 /64
constexpr std::size_t kWiderOctets = 6;    // IPv6 /48

std::string prefix_of(const ip::address_v6& address, std::size_t octets) {
  auto bytes = address.to_bytes();
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(octets), bytes.end(), 0);
  return ip::address_v6(bytes).to_string() + '/' + std::to_string(8 * octets);
}

std::string prefix_of(const ip::address_v4& address) {
  auto bytes = address.to_bytes();
  bytes.back() = 0;
  return ip::address_v4(bytes).to_string() + "/24";
}

}  // namespace

Origin origin_of(const ip::address& address) {
  const ip::address plain = plain_address(address);
  if (plain.is_v4()) return {plain.to_string(), prefix_of(plain.to_v4()), {}};
  const ip::address_v6 v6 = plain.to_v6();
  return {plain.to_string(), prefix_of(v6, kNetworkOctets), prefix_of(v6, kWiderOctets)};
}

Origin origin_of(const std::string& address) {
  boost::system::error_code error;
  const auto ip = ip::make_address(address, error);
  return error ? Origin{address, address, {}} : origin_of(ip);
}

}  // namespace relay::base
