// Draws the character of a server.
#pragma once

#include "tests/simulation/mood.hpp"
#include "tests/simulation/random.hpp"

namespace relay::simulation {

/// Every third server is healthy, some only have limits, the others have bad habits.
Mood draw_mood(Random& random);

}  // namespace relay::simulation
