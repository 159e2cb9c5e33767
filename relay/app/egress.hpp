// The addresses that our mail leaves from, as far as the configuration decides them. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

namespace relay::app {

/// The address of each family that mail leaves from; nullopt: the system chooses it.
struct SourceAddresses {
  std::optional<boost::asio::ip::address> v4;
  std::optional<boost::asio::ip::address> v6;
};

/// From checked texts; of each family the last one counts.
SourceAddresses sources_of(const std::vector<std::string>& texts);

/// The configured addresses that mail leaves from; those of the risk pool count as well, because a
/// sender's SPF may authorise only the one that doubtful mail leaves from. Empty if the system
/// chooses an address of its own for some mail: without [outbound] source, and where `source` names
/// none of a family in which this host (`local`: all its addresses) can reach other hosts.
std::vector<boost::asio::ip::address> egress_addresses(
    const std::vector<std::string>& sources, const std::vector<std::string>& of_risk_pool,
    std::span<const boost::asio::ip::address> local);

}  // namespace relay::app
