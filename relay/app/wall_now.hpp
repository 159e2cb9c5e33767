// The time of day, for code that runs before there is a ports::Clock, and for commands.
#pragma once

#include <chrono>

#include "relay/base/time.hpp"

namespace relay::app {

inline base::WallTime wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

}  // namespace relay::app
