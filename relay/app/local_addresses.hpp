#pragma once

#include <vector>

#include <boost/asio/ip/address.hpp>

namespace relay::app {

/// Every address of this host's interfaces at this moment; empty where the system does not say.
std::vector<boost::asio::ip::address> local_addresses();

}  // namespace relay::app
