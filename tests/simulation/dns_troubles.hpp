// What is the matter with the DNS of a world: records that change and expire, and many domains at
// once that do not answer.
#pragma once

#include "tests/simulation/random.hpp"
#include "tests/simulation/world.hpp"

namespace relay::simulation {

/// Adds domains, hosts, messages and incidents to the world, which is complete without them; the
/// last two are put in order by the caller.
void draw_dns_troubles(World& world, Random& random);

}  // namespace relay::simulation
