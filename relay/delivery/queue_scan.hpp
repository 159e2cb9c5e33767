// Finds due copies on disk. New ones are found from where the last look ended; what found no room
// then is the backlog, gone through round by round, so that a hundred thousand copies for one dead
// destination cannot stand in front of everybody else.
#pragma once

#include <optional>

#include "relay/base/published.hpp"
#include "relay/delivery/policy.hpp"
#include "relay/delivery/work_store.hpp"
#include "relay/ports/spool.hpp"

namespace relay::delivery {

class QueueScan {
 public:
  QueueScan(ports::Spool& spool, WorkStore& store, const base::Published<Policy>& policy)
      : spool_(spool), store_(store), policy_(policy) {}

  /// One look. Reads at most a few thousand rows. An error of the spool is the caller's to judge.
  base::Task<std::expected<void, ports::SpoolError>> look(base::WallTime now, bool from_the_start);

  /// Something due was left on disk.
  bool backlog() const { return backlog_; }

  /// The same of the risk pool, which is not in a hurry: only a look from the start finds it.
  bool left_behind() const { return left_behind_; }

 private:
  /// Rows behind `cursor` up to `until`; true when the end was reached.
  base::Task<std::expected<bool, ports::SpoolError>> pages(
      base::WallTime until, std::optional<ports::QueueCursor>& cursor);

  ports::Spool& spool_;
  WorkStore& store_;
  const base::Published<Policy>& policy_;
  std::optional<ports::QueueCursor> newest_;  ///< where the last look ended
  std::optional<ports::QueueCursor> round_;   ///< where the round through the backlog is
  bool backlog_ = false;
  bool left_behind_ = false;
  bool skipped_ = false;  ///< in this round, some found no room
};

/// The copy may be tried: it is due, or its due time was made under a wrong clock (K-6).
bool is_due(base::WallTime next_due, base::WallTime now, const RetryPolicy& policy);

}  // namespace relay::delivery
