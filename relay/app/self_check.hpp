// Does the way back work? A bounce address that nobody can reach is only noticed when it is too
// late.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "relay/base/task.hpp"
#include "relay/forward/planner.hpp"
#include "relay/ports/resolver.hpp"
#include "relay/settings/settings.hpp"

namespace relay::app {

/// Makes an SRS address as for a real message and sends it back through RCPT's own decision.
/// nullopt: it came back to the same sender, or there is no [srs]. Otherwise what went wrong.
std::optional<std::string> srs_round_trip_problem(const forward::Planner& planner,
                                                  base::WallTime now);

/// What DNS says against the SRS domain: no MX that points here, no SPF record. One sentence each;
/// empty when all is well, or when there is no [srs]. `own` are the addresses we are known under.
base::Task<std::vector<std::string>> srs_dns_problems(
    ports::Resolver& resolver, std::shared_ptr<const settings::Settings> settings,
    std::vector<boost::asio::ip::address> own, base::Deadline deadline);

/// The addresses of this machine's interfaces.
std::vector<boost::asio::ip::address> interface_addresses();

}  // namespace relay::app
