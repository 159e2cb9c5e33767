// Which addresses may be dialled: whoever owns a domain chooses its MX, and could choose us or a
// neighbour of ours.
#pragma once

#include <string_view>

#include <boost/asio/ip/address.hpp>

#include "relay/delivery/policy.hpp"

namespace relay::delivery {

/// Not globally reachable (RFC 6890): loopback, private, shared, link-local, multicast and the
/// like. IPv6 that leads to IPv4 (mapped, NAT64 of RFC 6052, 6to4) is judged by the IPv4 address.
bool is_special_address(const boost::asio::ip::address& address);

/// One of our own listeners, by whatever wrapping of its address.
bool is_own_endpoint(const boost::asio::ip::address& address, std::uint16_t port,
                     const Policy& policy);

/// An address from DNS may be dialled: neither ours nor special, unless allowed.
bool may_dial(const boost::asio::ip::address& address, std::uint16_t port, const Policy& policy);

/// A host name that may be looked up: a plain domain name, no address, no odd octets.
bool is_host_name(std::string_view name);

}  // namespace relay::delivery
