// The addresses that our mail leaves from, as far as the configuration decides them. Pure.
#pragma once

#include <span>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "relay/settings/settings.hpp"

namespace relay::app {

/// The configured addresses that mail leaves from; those of the risk pool count as well, because a
/// sender's SPF may authorise only the one that doubtful mail leaves from. Empty if the system
/// chooses an address of its own for some mail: without [outbound] source, and where `source` names
/// none of a family in which this host (`local`: all its addresses) can reach other hosts.
std::vector<boost::asio::ip::address> egress_addresses(
    const settings::Settings& from, std::span<const boost::asio::ip::address> local);

}  // namespace relay::app
