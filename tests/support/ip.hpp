// An IP address from a literal.
#pragma once

#include <boost/asio/ip/address.hpp>

namespace relay::support {

inline boost::asio::ip::address ip(const char* text) { return boost::asio::ip::make_address(text); }

}  // namespace relay::support
