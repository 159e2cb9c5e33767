// Doubts about a configuration that need the DNS: targets that mail cannot be sent to, and records
// of our own that are missing.
#pragma once

#include <chrono>
#include <vector>

#include "relay/app/policies.hpp"
#include "relay/base/task.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/resolver.hpp"

namespace relay::settings {
struct Problem;
}

namespace relay::app {

/// Looks up each target domain once, as a delivery would, with routes; many at a time. Domains
/// without an answer after `patience` are not judged. `policies` must outlive the task.
base::Task<std::vector<settings::Problem>> dns_doubts(ports::Resolver& resolver,
                                                      ports::Clock& clock, const Policies& policies,
                                                      std::chrono::seconds patience);

}  // namespace relay::app
