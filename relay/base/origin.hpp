// Where a client comes from, for counting: its address, its network, and the wider network around
// that. The sizes of both networks are defined only here.
#pragma once

#include <string>

#include <boost/asio/ip/address.hpp>

namespace relay::base {

/// The three texts can never be equal to each other, so one table may count all of them.
struct Origin {
  std::string client;   ///< "192.0.2.7", "2001:db8:1:2::7"
  std::string network;  ///< "192.0.2.0/24", "2001:db8:1:2::/64"
  /// "2001:db8:1::/48": what one customer may have of IPv6, 65,536 networks of /64. "" for IPv4.
  std::string wider;

  friend bool operator==(const Origin&, const Origin&) = default;
};

Origin origin_of(const boost::asio::ip::address& address);

/// A text that is not an IP address is its own client and its own network.
Origin origin_of(const std::string& address);

}  // namespace relay::base
