// Time spans and distances as people say them: "3 h", "12 m ago", "in 4 d".
#pragma once

#include <chrono>
#include <string>

#include "relay/base/time.hpp"

namespace relay::ops {

/// The `parts` largest units, rounded down: "3 h", or "3 h 12 m". Negative spans are "0 s".
std::string span_text(std::chrono::milliseconds span, int parts = 1);

/// "12 m ago".
std::string ago(base::WallTime now, base::WallTime then, int parts = 1);

/// "in 12 m", or "now" if it has passed.
std::string until(base::WallTime now, base::WallTime then, int parts = 1);

}  // namespace relay::ops
