// Copies that have not ended, in the order of their keys, for the operator. A slice at a time, so
// that nobody who wants to write waits long behind one who looks.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "relay/ports/clock.hpp"
#include "relay/ports/queue_filter.hpp"
#include "relay/spool/sqlite_handle.hpp"

namespace relay::spool {

/// A slice of work ends after so many rows, or so long.
class SliceEnd {
 public:
  SliceEnd(const ports::Clock& clock, std::size_t rows)
      : clock_(clock), end_(clock.steady() + kSpan), rows_(rows) {}

  /// Another row was looked at; true: enough.
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

  /// What a change needs to know of a copy.
  struct Found {
    mail::CopyId copy;
    mail::RecipientState state = mail::RecipientState::Waiting;
    base::WallTime next_due;
    bool awaits = false;  ///< somebody's consent
  };

  struct Slice {
    std::vector<Found> found;
    std::optional<mail::CopyId> next;  ///< nullopt: that was all
  };

  /// Those behind `after` that the filter selects and `wanted` takes; at most `limit`.
  Slice find(const ports::QueueFilter& filter, const std::optional<mail::CopyId>& after,
             std::size_t limit, SliceEnd& end, const std::function<bool(const Found&)>& wanted);

  /// The same, to be shown.
  ports::QueuePage list(const ports::QueueFilter& filter, const std::optional<mail::CopyId>& after,
                        std::size_t limit);

  /// All copies of a message, by index.
  std::vector<ports::QueueRow> copies(const mail::MessageId& id);

  std::vector<ports::AttemptRow> attempts(const mail::MessageId& id);

 private:
  static constexpr std::size_t kMostListed = 4000;  ///< rows looked at for a page

  /// Calls `visit` with each row of walk_ that is selected, until it says false or `end` has come.
  std::optional<mail::CopyId> each(const ports::QueueFilter& filter,
                                   const std::optional<mail::CopyId>& after, SliceEnd& end,
                                   const std::function<bool()>& visit);
  bool selected(const ports::QueueFilter& filter, bool with_message, base::WallTime now);
  mail::RecipientState state() const;  ///< of the row of walk_
  const ports::QueueRow& message_of(const mail::MessageId& id);

  const ports::Clock& clock_;
  Statement walk_, select_message_, select_copies_, select_attempts_;
  /// The message looked at last, as it is shown. Only while a slice lasts.
  ports::QueueRow message_;
};

}  // namespace relay::spool
