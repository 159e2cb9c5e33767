#include "relay/spool/queue_changes.hpp"

#include <utility>

#include "relay/spool/rows.hpp"

namespace relay::spool {

using mail::End;
using mail::RecipientState;
using ports::QueueAction;

namespace {

constexpr const char* kRefused = "5.7.1";

Statement& bind_key(Statement& statement, const mail::CopyId& copy) {
  return statement.bind_blob(1, blob_of(copy.message)).bind(2, std::int64_t{copy.index});
}

}  // namespace

QueueChanges::QueueChanges(Connection& connection, const ports::Clock& clock, QueueWalk& walk,
                           MessageReader& reader, Messages& messages, Notices& notices,
                           Fallbacks& fallbacks, Tally& tally)
    : clock_(clock),
      walk_(walk),
      reader_(reader),
      messages_(messages),
      notices_(notices),
      fallbacks_(fallbacks),
      tally_(tally),
      set_due_(connection.raw(),
               "UPDATE recipient SET next_due_ms = ?3, flags = flags + 256 "
               "WHERE id = ?1 AND idx = ?2"),
      outdate_(connection.raw(),
               "UPDATE recipient SET flags = flags + 256 WHERE id = ?1 AND idx = ?2"),
      hold_in_place_(connection.raw(),
                     "UPDATE recipient SET flags = flags | 4 WHERE id = ?1 AND idx = ?2"),
      await_no_more_(connection.raw(),
                     "UPDATE recipient SET awaits = '' WHERE id = ?1 AND idx = ?2"),
      release_(connection.raw(),
               "UPDATE recipient SET state = 0, flags = (flags & ~4) + 256, awaits = '', "
               "next_due_ms = ?3, released_ms = ?3 WHERE id = ?1 AND idx = ?2"),
      end_(connection.raw(),
           "UPDATE recipient SET state = 3, ended = ?3, awaits = '', at_ms = ?4, host = '', "
           "address = '', port = 0, tls = '', stage = 0, code = 0, status = ?5, reply = ?6, "
           "tls_policy = 1, tls_result = 0 WHERE id = ?1 AND idx = ?2") {
  static_assert(static_cast<int>(mail::Stage::Policy) == 0 &&
                    static_cast<int>(mail::TlsLevel::May) == 1 && kHeldInPlace == 4 &&
                    kChange == 256,
                "as in the statements");
}

ports::ChangedSlice QueueChanges::change(const ports::QueueFilter& filter, QueueAction action,
                                         const std::string& reason,
                                         const std::optional<mail::CopyId>& after) {
  began_at_ = clock_.steady();
  // Find first, change then: a change moves rows that the walk is reading.
  SliceEnd end(clock_, kMostLookedAt);
  const std::size_t most =
      (action == QueueAction::Hold ? kMostLookedAt : kMostChanged) >> halvings_;
  const QueueWalk::Slice slice =
      walk_.find(filter, after, most, end,
                 [&](const QueueWalk::Found& copy) { return is_meant(action, copy); });
  const base::WallTime now = clock_.wall();
  ports::ChangedSlice changed{.changed = {}, .held_before = {}, .next = slice.next};
  for (const QueueWalk::Found& copy : slice.found) {
    if (applies(action, copy)) {
      apply(copy, action, reason, now);
      changed.changed.push_back(copy.copy);
    } else {
      changed.held_before.push_back(copy.copy);
    }
    if (&copy == &slice.found.back() || !end.time_is_over()) continue;
    changed.next = copy.copy;
    break;
  }
  return changed;
}

void QueueChanges::committed(bool /*on_disk*/) {
  if (!began_at_) return;
  const auto took = clock_.steady() - *std::exchange(began_at_, std::nullopt);
  if (took > kLongest && halvings_ < kMostHalvings) ++halvings_;
  if (took < kLongest / 2 && halvings_ > 0) --halvings_;
}

bool QueueChanges::is_meant(QueueAction action, const QueueWalk::Found& copy) {
  return action == QueueAction::Hold || applies(action, copy);
}

bool QueueChanges::applies(QueueAction action, const QueueWalk::Found& copy) {
  const bool waits = copy.state == RecipientState::Waiting;
  switch (action) {
    case QueueAction::Retry:
      return waits;
    case QueueAction::Hold:  // a copy that awaits consent becomes held by the operator
      return waits || copy.awaits;
    case QueueAction::Release:
      return !waits;
    case QueueAction::Drop:
    case QueueAction::Bounce:
      return true;
  }
  return false;
}

void QueueChanges::apply(const QueueWalk::Found& copy, QueueAction action,
                         const std::string& reason, base::WallTime now) {
  switch (action) {
    case QueueAction::Retry:
      return retry(copy, now);
    case QueueAction::Hold:
      return hold(copy);
    case QueueAction::Release:
      return release(copy, now);
    case QueueAction::Drop:
      return drop(copy, reason, now);
    case QueueAction::Bounce:
      return bounce(copy, reason, now);
  }
}

void QueueChanges::retry(const QueueWalk::Found& copy, base::WallTime now) {
  if (copy.next_due <= now) {  // it may be under way: whatever comes of that, it is tried once more
    bind_key(outdate_, copy.copy);
    outdate_.run();
    return;
  }
  bind_key(set_due_, copy.copy).bind(3, ms_of(now));
  set_due_.run();
}

void QueueChanges::hold(const QueueWalk::Found& copy) {
  Statement& statement = copy.state == RecipientState::Waiting ? hold_in_place_ : await_no_more_;
  bind_key(statement, copy.copy);
  statement.run();
  tally_.copies_out(copy.state);
  tally_.copies_in(RecipientState::Held);
}

void QueueChanges::release(const QueueWalk::Found& copy, base::WallTime now) {
  bind_key(release_, copy.copy).bind(3, ms_of(now));
  release_.run();
  tally_.copies_out(copy.state);
  tally_.copies_in(RecipientState::Waiting);
}

void QueueChanges::drop(const QueueWalk::Found& copy, const std::string& reason,
                        base::WallTime now) {
  const mail::MessageId& id = copy.copy.message;
  notices_.cancel(id, copy.copy.index);
  const auto other = messages_.open_besides(id, copy.copy.index);
  const std::int64_t group = fallbacks_.group_of(copy.copy);
  if (!other && group == 0 && !notices_.are_owed(id)) return messages_.remove(id, copy.state);
  end(copy, End::Dropped, reason, now);
  settle_group(id, group, now);
  if (other) {
    messages_.open_begins_at(id, *other);
  } else if (!notices_.message_ended(id, now)) {
    messages_.remove(id);
  }
}

void QueueChanges::settle_group(const mail::MessageId& id, std::int64_t group, base::WallTime now) {
  if (fallbacks_.stands_by(id, group)) fallbacks_.decide(id, group, {}, now);
}

void QueueChanges::bounce(const QueueWalk::Found& copy, const std::string& reason,
                          base::WallTime now) {
  const mail::MessageId& id = copy.copy.message;
  if (can_be_told(copy.copy)) {
    notices_.owe(id, copy.copy.index, ports::Notify::OfFailure, now);
  } else {
    notices_.cancel(id, copy.copy.index);
  }
  end(copy, End::Returned, reason, now);
  settle_group(id, fallbacks_.group_of(copy.copy), now);
  if (messages_.has_open(id)) return;
  if (!notices_.message_ended(id, now)) messages_.remove(id);
}

/// There is a sender, and the row is sound, so that a DSN can be made.
bool QueueChanges::can_be_told(const mail::CopyId& copy) {
  try {
    const auto loaded = reader_.load(copy.message, {copy.index});
    return loaded && !loaded->message.reverse_path.is_null();
  } catch (const DamagedValue&) {
    return false;
  }
}

void QueueChanges::end(const QueueWalk::Found& copy, End end, const std::string& reason,
                       base::WallTime now) {
  bind_key(end_, copy.copy)
      .bind(3, static_cast<std::int64_t>(end))
      .bind(4, ms_of(now))
      .bind(5, std::string_view(kRefused))
      .bind(6, reason);
  end_.run();
  tally_.copies_out(copy.state);
}

}  // namespace relay::spool
