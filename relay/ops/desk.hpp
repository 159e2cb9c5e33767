// The operator's verbs as calls. Whoever shows them to people (control socket, pages) asks here and
// prints the views.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "relay/base/task.hpp"
#include "relay/ops/bulk_change.hpp"
#include "relay/ops/filter.hpp"
#include "relay/ops/metrics.hpp"
#include "relay/ops/pause_book.hpp"
#include "relay/ops/views.hpp"

namespace relay::ops {

/// Lives on one shard; any number of calls at a time.
class Desk {
 public:
  explicit Desk(Controls controls);

  /// Copies that match, behind `after`, by id; at most limit, and perhaps none although more come:
  /// many had to be looked at then.
  base::Task<Answer<ListPage>> list(ports::QueueFilter filter, std::optional<mail::CopyId> after,
                                    std::size_t limit);

  /// The one message that matches, with its header.
  base::Task<Answer<MessageView>> show(ports::QueueFilter filter);

  /// Its content, piece by piece from 0 on; "" behind the last.
  base::Task<Answer<std::string>> content(mail::MessageId id, std::uint32_t piece);

  /// The one message that matches: what was tried, and what comes next.
  base::Task<Answer<WhyView>> why(ports::QueueFilter filter);

  /// Drop and Bounce need a reason.
  base::Task<Answer<ChangeView>> change(Order order, ports::QueueFilter filter,
                                        ports::QueueAction action, Progress* progress = nullptr);

  /// Whether change() would do something about the copy.
  static bool would_change(const ports::QueueRow& row, ports::QueueAction action);

  /// Holds back what leaves by, or is for, the target, also what comes later. Needs a reason.
  base::Task<Answer<PauseView>> pause(Order order, PauseTarget target,
                                      std::optional<std::chrono::milliseconds> span);
  base::Task<Answer<PauseView>> resume(Order order, PauseTarget target);

  base::Task<StatusView> status();

  /// All of the new configuration, or none of it.
  base::Task<ReloadView> reload(Asker asker);

  /// Before the first delivery: puts the stored pauses in force.
  base::Task<std::expected<void, ports::SpoolError>> restore_pauses() { return pauses_.restore(); }

  /// Ends pauses whose time is over; to be spawned, and cancelled at the end.
  base::Task<> keep_pauses() { return pauses_.keep(); }

  Metrics& metrics() { return metrics_; }

 private:
  base::Task<Answer<mail::MessageId>> the_message(ports::QueueFilter filter);
  base::Task<Answer<std::optional<mail::MessageId>>> first_match(ports::QueueFilter filter,
                                                                 std::optional<mail::CopyId> after);
  CopyOutlook outlook(ports::QueueRow row) const;

  Controls controls_;
  PauseBook pauses_;
  Metrics metrics_;
};

}  // namespace relay::ops
