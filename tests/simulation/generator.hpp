// Makes a world from a seed.
#pragma once

#include <cstdint>

#include "tests/simulation/world.hpp"

namespace relay::simulation {

/// The same world for the same arguments, everywhere. Small ones have up to 12 copies and few
/// destinations, large ones 100 to 500 copies.
World generate_world(std::uint64_t seed, bool large);

}  // namespace relay::simulation
