// When a deferred copy is tried again and when it is given up. Pure: time and chance are arguments.
#pragma once

#include <cstdint>

#include "relay/base/time.hpp"
#include "relay/delivery/policy.hpp"

namespace relay::delivery {

/// How far the wall clock can be trusted.
struct ClockTrust {
  base::WallTime since;      ///< start of this process, or the last jump
  base::WallTime jumped_at;  ///< time after the last jump in this process; epoch: none
};

/// What is known of a copy whose attempt was deferred.
struct RetryCase {
  base::WallTime arrived_at;
  base::WallTime now;
  std::uint32_t attempts = 1;  ///< including the one just made
  base::WallTime previous_at;  ///< the attempt before; epoch: none
  ClockTrust clock;
  bool warned = false;
};

struct RetryDecision {
  bool expired = false;
  bool late = false;  ///< it has waited longer than warn_after
  bool warn = false;  ///< … and a delay notice is due
  base::WallTime next_due;
};

/// `chance` in [0, 1) varies the waiting time by ±20 %. Age alone neither ends a copy nor causes a
/// warning: an earlier attempt must lie in this run and after the last clock jump, so that after a
/// long downtime or under a wrong clock everything is tried again first. A copy that arrived before
/// a jump is as old as the jump: a clock ten years ahead for an hour bounces nothing (guarantee
/// "Mail is tried for five days").
RetryDecision decide_retry(const RetryCase& given, const mail::RetryPolicy& policy, double chance);

/// The longest waiting time of the schedule: a later due time was set by a wrong clock.
std::chrono::milliseconds longest_wait(const mail::RetryPolicy& policy);

}  // namespace relay::delivery
