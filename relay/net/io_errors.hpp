// What the kernel says, in the words of the port.
#pragma once

#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "relay/ports/stream.hpp"

namespace relay::net {

/// Maps errno of a socket call. Anything unknown is Reset: the connection is of no more use.
ports::IoError io_error_of(int error_number);

/// An IPv4-mapped IPv6 address becomes the IPv4 address it is, so that one client has one spelling
/// and no check on IPv4 addresses can be walked around.
ports::Endpoint endpoint_of(const boost::asio::ip::tcp::endpoint& endpoint);

/// "192.0.2.1:25", "[2001:db8::1]:25".
std::string to_text(const ports::Endpoint& endpoint);

/// True when the process or the machine has no descriptor or memory left.
bool is_exhaustion(int error_number);

}  // namespace relay::net
