#include "relay/app/local_addresses.hpp"

#include <array>
#include <cstring>
#include <memory>

#include <ifaddrs.h>
#include <netinet/in.h>

namespace relay::app {

namespace {

using boost::asio::ip::address;

/// Without the scope id of link-local addresses.
address address_of(const sockaddr& given) {
  if (given.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &given, sizeof v4);
    return boost::asio::ip::make_address_v4(ntohl(v4.sin_addr.s_addr));
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, &given, sizeof v6);
  boost::asio::ip::address_v6::bytes_type octets{};
  std::memcpy(octets.data(), &v6.sin6_addr, octets.size());
  return boost::asio::ip::make_address_v6(octets);
}

}  // namespace

std::vector<address> local_addresses() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> list(first, &::freeifaddrs);
  std::vector<address> found;
  for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr) continue;
    const int family = entry->ifa_addr->sa_family;
    if (family == AF_INET || family == AF_INET6) found.push_back(address_of(*entry->ifa_addr));
  }
  return found;
}

}  // namespace relay::app
