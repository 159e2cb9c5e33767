// What the DNS says against a configuration: targets that no mail can be sent to, and records that
// the world would need of us.
#pragma once

#include <chrono>
#include <vector>

#include "relay/app/policies.hpp"
#include "relay/base/task.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/resolver.hpp"
#include "relay/settings/problem.hpp"

namespace relay::app {

/// Asks as a delivery would, routes included, about each domain once and many at a time. What has
/// no answer after `patience` is not judged. `policies` are used until the end.
base::Task<std::vector<settings::Problem>> dns_doubts(ports::Resolver& resolver,
                                                      ports::Clock& clock, const Policies& policies,
                                                      std::chrono::seconds patience);

}  // namespace relay::app
