// A change of many copies: slice by slice, so that the queue goes on taking mail meanwhile.
#pragma once

#include <cstdint>

#include "relay/base/task.hpp"
#include "relay/ops/audit.hpp"
#include "relay/ops/views.hpp"

namespace relay::ops {

/// Who wants to hear how far a change has come.
class Progress {
 public:
  virtual ~Progress() = default;

  /// Called from time to time; the change waits for it.
  virtual base::Task<> changed_so_far(std::uint64_t changed) = 0;
};

/// Applies the action to everything the filter selects. What a slice has changed reaches the copies
/// in memory before the next slice begins: once the answer is given, nothing of it is begun any
/// more. Every copy is named in the log. An error leaves what was changed before it changed.
/// `progress` may be null.
base::Task<Answer<ChangeView>> change_all(Controls controls, Order order, ports::QueueFilter filter,
                                          ports::QueueAction action, Progress* progress);

}  // namespace relay::ops
