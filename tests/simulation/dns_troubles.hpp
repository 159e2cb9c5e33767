// Troubles of the DNS of a world: records that change and expire, and many domains at once that do
// not answer.
#pragma once

#include "tests/simulation/random.hpp"
#include "tests/simulation/world.hpp"

namespace relay::simulation {

/// Adds domains, hosts, messages and incidents to a world that is complete without them. The caller
/// sorts messages and incidents.
void draw_dns_troubles(World& world, Random& random);

}  // namespace relay::simulation
