// A change of many copies, made in slices, so that the queue can take mail in between.
#pragma once

#include <cstdint>

#include "relay/base/task.hpp"
#include "relay/ops/audit.hpp"
#include "relay/ops/views.hpp"

namespace relay::ops {

/// Receives reports on how far a change has come.
class Progress {
 public:
  virtual ~Progress() = default;

  /// Called from time to time; the change waits for it.
  virtual base::Task<> changed_so_far(std::uint64_t changed) = 0;
};

/// Applies the action to every copy that the filter selects. Before the next slice begins, what the
/// slice has changed is passed on to the copies in memory: when the answer is given, no delivery of
/// them begins. Every copy is named in the log (guarantee "Every change is in the log"). After an
/// error, what was changed stays changed. `progress` may be null.
base::Task<Answer<ChangeView>> change_all(Controls controls, Order order, ports::QueueFilter filter,
                                          ports::QueueAction action, Progress* progress);

}  // namespace relay::ops
