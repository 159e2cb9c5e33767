// Networks of IP addresses: "192.0.2.0/24", "2001:db8::/32", or one address.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

namespace relay::base {

/// Accepts an address and nothing else: no scope, brackets, blanks or NUL. An IPv4-mapped IPv6
/// address stays IPv6.
std::optional<boost::asio::ip::address> parse_address(std::string_view text);

class Network {
 public:
  /// An address, or the first address of a network and the number of leading bits that all its
  /// addresses share. An IPv4-mapped IPv6 address is taken as IPv4. The error is a sentence.
  static std::expected<Network, std::string> parse(std::string_view text);

  /// The network with `bits` leading bits that contains `address`; an IPv4-mapped IPv6 address is
  /// taken as IPv4. Precondition: `bits` does not exceed the number of bits of the address.
  static Network around(const boost::asio::ip::address& address, unsigned bits);

  /// IPv4-mapped IPv6 addresses belong to IPv4 networks.
  bool contains(const boost::asio::ip::address& address) const;

  /// True when every address of its family is in it.
  bool is_everything() const { return bits_ == 0; }

  /// "192.0.2.0/24"; a single address without its length.
  std::string text() const;

  friend bool operator==(const Network&, const Network&) = default;

 private:
  Network(boost::asio::ip::address first, unsigned bits) : first_(std::move(first)), bits_(bits) {}

  boost::asio::ip::address first_;
  unsigned bits_;
};

/// A list of networks; contains() tells whether an address is in any of them.
using Networks = std::vector<Network>;

bool contains(const Networks& networks, const boost::asio::ip::address& address);

/// As inet_ntop() writes it; IPv4 without the cost of that.
std::string text_of(const boost::asio::ip::address& address);

/// The address as we print and compare it: IPv4-mapped IPv6 as IPv4, without scope.
boost::asio::ip::address plain_address(const boost::asio::ip::address& address);

}  // namespace relay::base
