#include "relay/ops/bulk_change.hpp"

#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "relay/ports/operator_queue.hpp"

namespace relay::ops {

namespace {

using ports::QueueAction;

constexpr std::chrono::seconds kBetweenReports{2};

/// Whether copies that are in memory, or under way, must not be begun any more.
bool withdraws(QueueAction action) {
  return action == QueueAction::Hold || action == QueueAction::Drop ||
         action == QueueAction::Bounce;
}

/// Whether something is due that was not: a copy, or the DSN for it.
bool makes_due(QueueAction action) {
  return action == QueueAction::Retry || action == QueueAction::Release ||
         action == QueueAction::Bounce;
}

/// Copies that may be under way although the store has them as held, dropped or ended.
std::vector<mail::CopyId> all_of(const ports::ChangedSlice& slice) {
  std::vector<mail::CopyId> all = slice.changed;
  all.insert(all.end(), slice.held_before.begin(), slice.held_before.end());
  return all;
}

Refusal stopped_early(AuditTrail& trail, const ChangeView& done, ports::SpoolError error) {
  trail.finish(done.changed, done.under_way, ports::describe(error));
  if (done.changed == 0) return {ExitCode::Temporary, std::string(ports::describe(error))};
  return {ExitCode::Partly, fmt::format("{} changed, {} under way, then: {}", done.changed,
                                        done.under_way, ports::describe(error))};
}

}  // namespace

base::Task<Answer<ChangeView>> change_all(Controls controls, Order order, ports::QueueFilter filter,
                                          QueueAction action, Progress* progress) {
  ChangeView done{.action = action};
  AuditTrail trail(order, controls.log, controls.clock);
  std::optional<mail::CopyId> after;
  std::uint64_t woken_at = 0;
  base::SteadyTime reported = controls.clock.steady();
  do {
    auto slice = co_await controls.queue.change(filter, action, order.reason, after);
    if (!slice) {
      if (makes_due(action)) controls.delivery.wake();
      co_return std::unexpected(stopped_early(trail, done, slice.error()));
    }
    trail.add(slice->changed);
    done.changed += slice->changed.size();
    if (withdraws(action)) done.under_way += controls.delivery.withdraw(all_of(*slice));
    // Wake once early, so that the first copies leave while others are still being searched for.
    if (makes_due(action) && woken_at == 0 && done.changed > 0) {
      controls.delivery.wake();
      woken_at = done.changed;
    }
    if (slice->next && after && *slice->next <= *after) {
      co_return std::unexpected(stopped_early(trail, done, ports::SpoolError::Corrupt));
    }
    after = slice->next;
    if (after && progress != nullptr && controls.clock.steady() - reported >= kBetweenReports) {
      reported = controls.clock.steady();
      co_await progress->changed_so_far(done.changed);
    }
  } while (after);
  // A retry also forgets outages, so wake even if everything was due already.
  if (action == QueueAction::Retry || (makes_due(action) && done.changed > woken_at)) {
    controls.delivery.wake();
  }
  trail.finish(done.changed, done.under_way);
  co_return done;
}

}  // namespace relay::ops
