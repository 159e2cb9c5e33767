#pragma once

#include "relay/base/bell.hpp"
#include "relay/base/task.hpp"
#include "relay/base/time.hpp"

namespace relay::ports {

/// Time as the coroutine rooms see it. Pure rooms get time as an argument instead.
class Clock {
 public:
  virtual ~Clock() = default;

  virtual base::WallTime wall() const = 0;
  virtual base::SteadyTime steady() const = 0;

  /// Suspends the calling coroutine until `at`. Returns early only by cancellation (throws).
  virtual base::Task<> sleep_until(base::SteadyTime at) = 0;

  /// The same, and no longer than until `bell` rings. The caller keeps the bell.
  virtual base::Task<> sleep_until(base::SteadyTime at, base::Bell& bell) = 0;
};

}  // namespace relay::ports
