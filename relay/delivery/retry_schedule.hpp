// When a deferred copy is tried again, and when it is given up. Pure: time and chance are
// arguments.
#pragma once

#include <cstdint>

#include "relay/base/time.hpp"
#include "relay/delivery/policy.hpp"

namespace relay::delivery {

/// How far the wall clock can be believed.
struct ClockTrust {
  base::WallTime since;      ///< start of this run, or the last jump
  base::WallTime jumped_at;  ///< where the last jump of this run led to; epoch: there was none
};

/// What is known of a copy after an attempt that was deferred.
struct RetryCase {
  base::WallTime arrived_at;
  base::WallTime now;
  std::uint32_t attempts = 1;  ///< the one just made included
  base::WallTime previous_at;  ///< the attempt before it; epoch: none
  ClockTrust clock;
  bool warned = false;
};

struct RetryDecision {
  bool expired = false;
  bool late = false;  ///< it waits for longer than warn_after
  bool warn = false;  ///< … and a delay notice is due
  base::WallTime next_due;
};

/// `chance` in [0, 1) spreads the waiting time by ±20 %. Age alone never ends a copy nor warns of
/// it: an earlier attempt must lie in this run and behind the last clock jump, so that after a long
/// downtime, or under a wrong clock, everything is tried again first. What came before a jump is as
/// old as the jump: a clock that runs ten years ahead for an hour bounces nothing.
RetryDecision decide_retry(const RetryCase& given, const RetryPolicy& policy, double chance);

/// The longest time a copy can be told to wait: a due time further off was made by a wrong clock.
std::chrono::milliseconds longest_wait(const RetryPolicy& policy);

}  // namespace relay::delivery
