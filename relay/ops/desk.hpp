// The operator's verbs as calls. Front ends (control socket, pages) call them and print the views.
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
#include "relay/ports/spool_error.hpp"

namespace relay::ops {

/// Belongs to one shard; calls may overlap.
class Desk {
 public:
  explicit Desk(Controls controls);

  /// At most `limit` copies that match, after `after`, by id. A page can be empty although more
  /// follow, when many copies had to be examined.
  base::Task<Answer<ListPage>> list(ports::QueueFilter filter, std::optional<mail::CopyId> after,
                                    std::size_t limit);

  /// The single message that matches, with its header.
  base::Task<Answer<MessageView>> show(ports::QueueFilter filter);

  /// The content of the message in pieces, numbered from 0; "" after the last.
  base::Task<Answer<std::string>> content(mail::MessageId id, std::uint32_t piece);

  /// The single message that matches, with its attempts and what comes next.
  base::Task<Answer<WhyView>> why(ports::QueueFilter filter);

  /// Drop and Bounce require a reason.
  base::Task<Answer<ChangeView>> change(Order order, ports::QueueFilter filter,
                                        ports::QueueAction action, Progress* progress = nullptr);

  /// Whether change() would change this copy.
  static bool would_change(const ports::QueueRow& row, ports::QueueAction action);

  /// Holds back copies that leave by, or are for, the target, also those that come later. Requires
  /// a reason.
  base::Task<Answer<PauseView>> pause(Order order, PauseTarget target,
                                      std::optional<std::chrono::milliseconds> span);
  base::Task<Answer<PauseView>> resume(Order order, PauseTarget target);

  base::Task<StatusView> status();

  /// Applies the whole new configuration, or nothing of it.
  base::Task<ReloadView> reload(Asker asker);

  /// Puts the stored pauses in force. Call before the first delivery.
  base::Task<std::expected<void, ports::SpoolError>> restore_pauses() { return pauses_.restore(); }

  /// Ends pauses when their time is over. To be spawned, and cancelled at the end.
  base::Task<> keep_pauses() { return pauses_.keep(); }

  Metrics& metrics() { return metrics_; }

 private:
  base::Task<Answer<mail::MessageId>> the_message(ports::QueueFilter filter);
  base::Task<Answer<std::optional<mail::MessageId>>> first_match(ports::QueueFilter filter,
                                                                 std::optional<mail::CopyId> after);
  CopyOutlook outlook(ports::QueueRow row) const;
  ports::QueueFilter with_groups(ports::QueueFilter filter) const;

  Controls controls_;
  PauseBook pauses_;
  Metrics metrics_;
};

}  // namespace relay::ops
