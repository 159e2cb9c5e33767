// Where a client comes from, as it is counted: its address, its network, and the wider network that
// its network is a part of. The only place that says how large these are.
#pragma once

#include <string>

#include <boost/asio/ip/address.hpp>

namespace relay::base {

/// Text forms, which tell the three apart: one table may count all of them.
struct Origin {
  std::string client;   ///< "192.0.2.7", "2001:db8:1:2::7"
  std::string network;  ///< "192.0.2.0/24", "2001:db8:1:2::/64"
  /// "2001:db8:1::/48": what one customer may have of IPv6, 65,536 networks. "" for IPv4.
  std::string wider;

  friend bool operator==(const Origin&, const Origin&) = default;
};

Origin origin_of(const boost::asio::ip::address& address);

/// What is no address is a network of its own.
Origin origin_of(const std::string& address);

}  // namespace relay::base
