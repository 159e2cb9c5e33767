#include "relay/spool/queue_walk.hpp"

#include <map>
#include <utility>

#include <fmt/format.h>

#include "relay/spool/rows.hpp"

namespace relay::spool {

namespace {

using At = RecipientAt;

}  // namespace

QueueWalk::QueueWalk(Connection& connection, const ports::Clock& clock)
    : clock_(clock),
      walk_(connection.raw(),
            fmt::format("SELECT {} FROM recipient WHERE (id, idx) > (?1, ?2) AND id <= ?3 "
                        "ORDER BY id, idx",
                        kRecipientColumns)
                .c_str()),
      select_message_(connection.raw(),
                      fmt::format("SELECT {} FROM message WHERE id = ?1", kMessageColumns).c_str()),
      select_copies_(
          connection.raw(),
          fmt::format("SELECT {} FROM recipient WHERE id = ?1 ORDER BY idx", kRecipientColumns)
              .c_str()),
      select_attempts_(
          connection.raw(),
          fmt::format("SELECT idx, {} FROM attempt WHERE id = ?1", kAttemptColumns).c_str()) {}

std::optional<mail::CopyId> QueueWalk::each(const ports::QueueFilter& filter,
                                            const std::optional<mail::CopyId>& after, SliceEnd& end,
                                            const std::function<bool()>& visit) {
  const auto range = ports::id_range(filter);
  if (!range) return std::nullopt;
  const bool goes_on = after && !(after->message < range->first);
  const mail::MessageId& first = goes_on ? after->message : range->first;
  const base::WallTime now = clock_.wall();
  const bool with_message = ports::asks_for_message(filter);
  message_ = {};
  const Use use(walk_);
  walk_.bind_blob(1, blob_of(first))
      .bind(2, std::int64_t{goes_on ? after->index : -1})
      .bind_blob(3, blob_of(range->last));
  while (walk_.step()) {
    const bool enough = !mail::is_final(state()) && selected(filter, with_message, now) && !visit();
    if (end.after_one() || enough) {
      return mail::CopyId{id_of(walk_.view(At::kId)),
                          static_cast<std::uint16_t>(walk_.number(At::kIndex))};
    }
  }
  return std::nullopt;
}

mail::RecipientState QueueWalk::state() const {
  return state_of(walk_.number(At::kState), walk_.number(At::kFlags));
}

bool QueueWalk::selected(const ports::QueueFilter& filter, bool with_message, base::WallTime now) {
  if (filter.conditions.empty()) return true;
  ports::QueueSubject subject{.id = id_of(walk_.view(At::kId)),
                              .target = walk_.view(At::kTarget),
                              .alias = walk_.view(At::kOriginal),
                              .mail_from = {},
                              .host = walk_.view(At::kHost),
                              .code = walk_.view(At::kStatus),
                              .message_id = {},
                              .received_at = {},
                              .state = state(),
                              .attempts = static_cast<std::uint32_t>(walk_.number(At::kAttempts))};
  if (with_message) {
    const ports::QueueRow& message = message_of(subject.id);
    subject.mail_from = message.mail_from;
    subject.message_id = message.message_id;
    subject.received_at = message.received_at;
  }
  return ports::matches(filter, subject, now);
}

const ports::QueueRow& QueueWalk::message_of(const mail::MessageId& id) {
  if (message_.copy.message == id) return message_;
  message_ = {};
  message_.copy.message = id;
  const Use use(select_message_);
  select_message_.bind_blob(1, blob_of(id));
  if (select_message_.step()) show_message(message_, select_message_);
  return message_;
}

QueueWalk::Slice QueueWalk::find(const ports::QueueFilter& filter,
                                 const std::optional<mail::CopyId>& after, std::size_t limit,
                                 SliceEnd& end, const std::function<bool(const Found&)>& wanted) {
  Slice slice;
  slice.next = each(filter, after, end, [&] {
    const Found found{
        .copy = {id_of(walk_.view(At::kId)), static_cast<std::uint16_t>(walk_.number(At::kIndex))},
        .state = state(),
        .next_due = time_of(walk_.number(At::kNextDue)),
        .awaits = !walk_.view(At::kAwaits).empty()};
    if (wanted(found)) slice.found.push_back(found);
    return slice.found.size() < limit;
  });
  return slice;
}

ports::QueuePage QueueWalk::list(const ports::QueueFilter& filter,
                                 const std::optional<mail::CopyId>& after, std::size_t limit) {
  ports::QueuePage page;
  if (limit == 0) return page;
  SliceEnd end(clock_, kMostListed);
  page.next = each(filter, after, end, [&] {
    page.rows.push_back(message_of(id_of(walk_.view(At::kId))));
    show_recipient(page.rows.back(), walk_);
    return page.rows.size() < limit;
  });
  return page;
}

std::vector<ports::QueueRow> QueueWalk::copies(const mail::MessageId& id) {
  message_ = {};
  std::vector<ports::QueueRow> rows;
  const Use use(select_copies_);
  select_copies_.bind_blob(1, blob_of(id));
  while (select_copies_.step()) {
    rows.push_back(message_of(id));
    show_recipient(rows.back(), select_copies_);
  }
  return rows;
}

std::vector<ports::AttemptRow> QueueWalk::attempts(const mail::MessageId& id) {
  const Use use(select_attempts_);
  select_attempts_.bind_blob(1, blob_of(id));
  // Sort by time: attempt numbers start again after the fiftieth.
  std::multimap<std::pair<base::WallTime, std::uint16_t>, ports::AttemptRow> by_time;
  while (select_attempts_.step()) {
    const auto index = static_cast<std::uint16_t>(select_attempts_.number(0));
    auto attempt = attempt_from(select_attempts_, 1);
    const auto at = attempt.at;
    by_time.emplace(std::pair(at, index), ports::AttemptRow{index, std::move(attempt)});
  }
  std::vector<ports::AttemptRow> rows;
  for (auto& [key, row] : by_time) rows.push_back(std::move(row));
  return rows;
}

}  // namespace relay::spool
