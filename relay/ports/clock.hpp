#pragma once

#include "relay/base/bell.hpp"
#include "relay/base/task.hpp"
#include "relay/base/time.hpp"

namespace relay::ports {

/// Time for rooms that run coroutines. Pure rooms get time as an argument instead.
class Clock {
 public:
  virtual ~Clock() = default;

  virtual base::WallTime wall() const = 0;
  virtual base::SteadyTime steady() const = 0;

  /// Suspends the calling coroutine until `at`. Ends early only by cancellation, which throws.
  virtual base::Task<> sleep_until(base::SteadyTime at) = 0;

  /// As above, but returns early when `bell` rings. The caller owns the bell.
  virtual base::Task<> sleep_until(base::SteadyTime at, base::Bell& bell) = 0;
};

}  // namespace relay::ports
