// The time of day for what is made before there is a clock, and for commands, which need none.
#pragma once

#include <chrono>

#include "relay/base/time.hpp"

namespace relay::app {

inline base::WallTime wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

}  // namespace relay::app
