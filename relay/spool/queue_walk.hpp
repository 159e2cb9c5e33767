// Reads copies that have not ended, by key, for the operator. Works in slices, so that writers do
// not wait long.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "relay/ports/clock.hpp"
#include "relay/ports/queue_filter.hpp"
#include "relay/ports/queue_rows.hpp"
#include "relay/spool/sqlite_handle.hpp"

namespace relay::spool {

/// Ends a slice of work after a number of rows or kSpan.
class SliceEnd {
 public:
  SliceEnd(const ports::Clock& clock, std::size_t rows)
      : clock_(clock), end_(clock.steady() + kSpan), rows_(rows) {}

  /// Counts a row; true: the slice ends.
  bool after_one() { return --rows_ == 0 || (rows_ % 16 == 0 && time_is_over()); }

  bool time_is_over() const { return clock_.steady() >= end_; }

 private:
  static constexpr std::chrono::milliseconds kSpan{15};

  const ports::Clock& clock_;
  const base::SteadyTime end_;
  std::size_t rows_;
};

class QueueWalk {
 public:
  QueueWalk(Connection& connection, const ports::Clock& clock);

  /// The facts about a copy that a change needs.
  struct Found {
    mail::CopyId copy;
    mail::RecipientState state = mail::RecipientState::Waiting;
    base::WallTime next_due;
    bool awaits = false;  ///< a consent
  };

  struct Slice {
    std::vector<Found> found;
    std::optional<mail::CopyId> next;  ///< nullopt: there are no more
  };

  /// Up to `limit` copies after `after` that match the filter and `wanted`.
  Slice find(const ports::QueueFilter& filter, const std::optional<mail::CopyId>& after,
             std::size_t limit, SliceEnd& end, const std::function<bool(const Found&)>& wanted);

  /// Up to `limit` copies, as the operator sees them.
  ports::QueuePage list(const ports::QueueFilter& filter, const std::optional<mail::CopyId>& after,
                        std::size_t limit);

  /// All copies of a message, by index.
  std::vector<ports::QueueRow> copies(const mail::MessageId& id);

  std::vector<ports::AttemptRow> attempts(const mail::MessageId& id);

 private:
  static constexpr std::size_t kMostListed = 4000;  ///< rows read per page

  /// Calls `visit` for each matching row of walk_, until it returns false or `end` is reached.
  /// Returns where to continue; nullopt: there are no more.
  std::optional<mail::CopyId> each(const ports::QueueFilter& filter,
                                   const std::optional<mail::CopyId>& after, SliceEnd& end,
                                   const std::function<bool()>& visit);
  bool selected(const ports::QueueFilter& filter, bool with_message, base::WallTime now);
  mail::RecipientState state() const;  ///< of the current row of walk_
  const ports::QueueRow& message_of(const mail::MessageId& id);

  const ports::Clock& clock_;
  Statement walk_, select_message_, select_copies_, select_attempts_;
  /// The message read last, for several copies in a row. Valid only within a slice.
  ports::QueueRow message_;
};

}  // namespace relay::spool
