// Checks at the start whether bounces can come back; otherwise this would be noticed only when they
// are lost.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relay/base/task.hpp"
#include "relay/forward/planner.hpp"
#include "relay/ports/resolver.hpp"

namespace relay::app {

/// Makes an SRS address as for a real message and resolves it like RCPT. nullopt: it leads back to
/// the same sender, or there is no [srs]. Otherwise what is wrong.
std::optional<std::string> srs_round_trip_problem(const forward::Planner& planner,
                                                  base::WallTime now);

/// What is wrong with the SRS domains in the DNS: no MX that leads here, no SPF record. One
/// sentence each; empty without [srs]. `own` are the addresses at which we can be reached.
base::Task<std::vector<std::string>> srs_dns_problems(ports::Resolver& resolver,
                                                      std::shared_ptr<const forward::Policy> policy,
                                                      std::vector<boost::asio::ip::address> own,
                                                      base::Deadline deadline);

/// The addresses of this host's interfaces.
std::vector<boost::asio::ip::address> interface_addresses();

}  // namespace relay::app
