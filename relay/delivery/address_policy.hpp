// Which addresses may be dialled. The owner of a domain chooses its MX, and could choose us or a
// host in our private network.
#pragma once

#include <string_view>

#include <boost/asio/ip/address.hpp>

#include "relay/delivery/policy.hpp"

namespace relay::delivery {

/// Not globally reachable (RFC 6890): loopback, private, shared, link-local, multicast and the
/// like. IPv6 that leads to IPv4 (mapped, NAT64 of RFC 6052, 6to4) is judged by the IPv4 address.
bool is_special_address(const boost::asio::ip::address& address);

/// The address and port of one of our own listeners, also when wrapped in IPv6.
bool is_own_endpoint(const boost::asio::ip::address& address, std::uint16_t port,
                     const Policy& policy);

/// Whether an address from DNS may be dialled: not ours, and not special unless the policy allows
/// it.
bool may_dial(const boost::asio::ip::address& address, std::uint16_t port, const Policy& policy);

/// A plain domain name that may be looked up: no address, no illegal octets.
bool is_host_name(std::string_view name);

}  // namespace relay::delivery
