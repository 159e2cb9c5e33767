#include "relay/base/origin.hpp"

#include "relay/base/network.hpp"

namespace relay::base {

namespace ip = boost::asio::ip;

namespace {

constexpr unsigned kNetworkBits4 = 24;
constexpr unsigned kNetworkBits6 = 64;
constexpr unsigned kWiderBits6 = 48;

}  // namespace

Origin origin_of(const ip::address& address) {
  const ip::address plain = plain_address(address);
  const auto prefix = [&](unsigned bits) { return Network::around(plain, bits).text(); };
  if (plain.is_v4()) return {text_of(plain), prefix(kNetworkBits4), {}};
  return {text_of(plain), prefix(kNetworkBits6), prefix(kWiderBits6)};
}

Origin origin_of(const std::string& address) {
  boost::system::error_code error;
  const auto ip = ip::make_address(address, error);
  return error ? Origin{address, address, {}} : origin_of(ip);
}

}  // namespace relay::base
