// Translates errno values and addresses into the terms of ports.
#pragma once

#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "relay/ports/stream.hpp"

namespace relay::net {

/// Maps errno of a socket call. Anything unknown is Reset: the connection is of no more use.
ports::IoError io_error_of(int error_number);

/// Turns an IPv4-mapped IPv6 address into the IPv4 address, so that each client has one spelling
/// and checks of IPv4 addresses cannot be evaded.
ports::Endpoint endpoint_of(const boost::asio::ip::tcp::endpoint& endpoint);

/// "192.0.2.1:25", "[2001:db8::1]:25".
std::string to_text(const ports::Endpoint& endpoint);

/// The process or the machine has no descriptor or memory left.
bool is_exhaustion(int error_number);

}  // namespace relay::net
