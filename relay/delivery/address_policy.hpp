// Which addresses may be dialled (guarantee "A domain does not choose whom we dial"). The owner of
// a domain chooses its MX, which could be this relay or a host in our private network.
#pragma once

#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "relay/delivery/policy.hpp"
#include "relay/ports/stream.hpp"

namespace relay::delivery {

/// Not globally reachable (RFC 6890): loopback, private, shared, link-local, multicast and the
/// like. IPv6 that leads to IPv4 (mapped, NAT64 of RFC 6052, 6to4) is judged by the IPv4 address.
bool is_special_address(const boost::asio::ip::address& address);

/// One of our own listeners is reached at this address and port, as far as the policy knows; also
/// when the address is wrapped in IPv6. Another program may listen on another address of this host,
/// so neither the address nor the port alone is enough.
bool is_own_endpoint(const boost::asio::ip::address& address, std::uint16_t port,
                     const Policy& policy);

/// The same of a connection that was made: one within this host, to an address that the policy need
/// not know, ends at a listener on all addresses.
bool leads_to_us(const ports::Endpoint& local, const ports::Endpoint& peer, const Policy& policy);

/// The addresses of all own endpoints, some of them more than once.
std::vector<boost::asio::ip::address> own_addresses(const Policy& policy);

/// Whether an address from DNS may be dialled: not ours, and not special unless the policy allows
/// it.
bool may_dial(const boost::asio::ip::address& address, std::uint16_t port, const Policy& policy);

/// A plain domain name that may be looked up: no address, no illegal octets.
bool is_host_name(std::string_view name);

}  // namespace relay::delivery
