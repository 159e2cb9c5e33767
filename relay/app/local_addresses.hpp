#pragma once

#include <vector>

#include <boost/asio/ip/address.hpp>

namespace relay::app {

/// All addresses of this host's interfaces at this moment; empty if the system cannot tell.
std::vector<boost::asio::ip::address> local_addresses();

}  // namespace relay::app
