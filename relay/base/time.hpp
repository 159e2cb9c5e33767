// Points in time. Wall-clock time is what stands in envelopes, queues and logs; steady time is what
// deadlines are made of, so that a clock jump neither hangs nor cuts a session.
#pragma once

#include <chrono>

#include "relay/base/cut.hpp"

namespace relay::base {

/// Milliseconds since the Unix epoch, UTC. What the queue stores and the log prints.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

using SteadyTime = std::chrono::steady_clock::time_point;

/// The moment after which an operation must have ended. A value, so it can be checked before and
/// after every wait: a cancel that finds nothing to cancel is lost, a deadline is not.
struct Deadline {
  SteadyTime at = SteadyTime::max();
  Cut* cut = nullptr;  ///< ends the operation before that; outlives it

  static Deadline after(std::chrono::nanoseconds span) {
    return Deadline{.at = std::chrono::steady_clock::now() + span};
  }

  bool passed(SteadyTime now = std::chrono::steady_clock::now()) const {
    return now >= at || (cut != nullptr && cut->made());
  }

  /// The earlier of the two: a stage's own limit inside the limit of the whole.
  Deadline within(Deadline outer) const {
    return {at < outer.at ? at : outer.at, cut != nullptr ? cut : outer.cut};
  }
};

}  // namespace relay::base
