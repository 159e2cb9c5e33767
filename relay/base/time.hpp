// Points in time. Wall-clock time is for envelopes, queues and logs; steady time is for deadlines,
// so that a jump of the clock neither hangs nor ends a session.
#pragma once

#include <chrono>

#include "relay/base/cut.hpp"

namespace relay::base {

/// Milliseconds since the Unix epoch, UTC, as the queue stores them and the log prints them.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

using SteadyTime = std::chrono::steady_clock::time_point;

/// The moment by which an operation must have ended. A value that is checked before and after every
/// wait: a cancellation is lost when nothing waits at that moment, a deadline is not.
struct Deadline {
  SteadyTime at = SteadyTime::max();
  Cut* cut = nullptr;  ///< when made, ends the operation earlier; outlives it

  static Deadline after(std::chrono::nanoseconds span) {
    return Deadline{.at = std::chrono::steady_clock::now() + span};
  }

  bool passed(SteadyTime now = std::chrono::steady_clock::now()) const {
    return now >= at || (cut != nullptr && cut->made());
  }

  /// The earlier of the two: a stage's own limit inside the limit of the whole. The cut is this
  /// one's, or the outer one's when this has none.
  Deadline within(Deadline outer) const {
    return {at < outer.at ? at : outer.at, cut != nullptr ? cut : outer.cut};
  }
};

}  // namespace relay::base
