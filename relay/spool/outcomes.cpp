#include "relay/spool/outcomes.hpp"

#include <algorithm>
#include <span>

#include "relay/ports/delivery_queue.hpp"
#include "relay/spool/rows.hpp"

namespace relay::spool {

using mail::RecipientState;
using ports::CopyUpdate;
using ports::Notify;
using ports::Recorded;

namespace {

constexpr std::int64_t kMaxHistory = 50;  // attempts kept per copy
constexpr std::int64_t kMaxHosts = 8;     // hosts kept per attempt

}  // namespace

Outcomes::Outcomes(Connection& connection, Messages& messages, Notices& notices,
                   Fallbacks& fallbacks, Tally& tally)
    : connection_(connection),
      messages_(messages),
      notices_(notices),
      fallbacks_(fallbacks),
      tally_(tally),
      select_(connection.raw(),
              "SELECT state, attempts, next_due_ms, flags, "
              "(SELECT o.idx FROM recipient o WHERE o.id = ?1 AND o.idx >= ?3 AND o.idx <> ?2 AND "
              "o.state NOT IN (2, 3, 4) ORDER BY o.idx LIMIT 1), "
              "EXISTS (SELECT 1 FROM report p WHERE p.id = ?1), "
              "(SELECT m.size FROM message m WHERE m.id = ?1), fallback_group "
              "FROM recipient WHERE id = ?1 AND idx = ?2"),
      update_(
          connection.raw(),
          "UPDATE recipient SET state = ?3, attempts = ?4, next_due_ms = ?5, flags = ?6, "
          "ended = ?7, at_ms = ?8, host = ?9, address = ?10, port = ?11, tls = ?12, stage = ?13, "
          "code = ?14, status = ?15, reply = ?16, tls_policy = ?17, tls_result = ?18 "
          "WHERE id = ?1 AND idx = ?2"),
      insert_attempt_(connection.raw(),
                      "INSERT OR REPLACE INTO attempt (id, idx, number, at_ms, host, address, "
                      "port, tls, stage, code, status, reply, tls_policy, tls_result) VALUES "
                      "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)"),
      forget_attempts_(
          connection.raw(),
          "DELETE FROM attempt WHERE id = ?1 AND idx = ?2 AND number BETWEEN ?3 AND ?4"),
      hold_waiting_(
          connection.raw(),
          "UPDATE recipient SET state = 1 WHERE id = ?1 AND state = 0 AND flags & 4 = 0") {
  static_assert(kHeldInPlace == 4 && static_cast<int>(RecipientState::StandsBy) == 4,
                "as in the statements");
}

std::expected<ports::RecordAnswer, ports::SpoolError> Outcomes::record(const ports::Update& update,
                                                                       base::WallTime now) {
  ports::RecordAnswer answer;
  std::optional<Copy> copy;
  bool found = false;
  bool ended = false;
  std::vector<Touched> groups;
  for (const CopyUpdate& one : update.copies) {
    copy = find(update.id, one.index);
    found = found || copy;
    const Recorded recorded = copy ? judge(one, *copy) : Recorded::TooLate;
    answer.copies.push_back(recorded);
    if (recorded == Recorded::TooLate) continue;
    if (counts(recorded) && ends_message(update, *copy)) {
      messages_.remove_sized(update.id, copy->octets, copy->state);
      answer.message_ended = true;
      return answer;
    }
    apply(update.id, one, *copy, recorded, now);
    ended = ended || (counts(recorded) && mail::is_final(one.state));
    if (copy->has_fallback && counts(recorded)) touch(groups, one, *copy);
  }
  // Decide when all copies are written: the fate of a group depends on all of them.
  decide(update.id, groups, answer, now);
  if (!found && !messages_.is_known(update.id)) {
    return std::unexpected(ports::SpoolError::NotFound);
  }
  if (!answer.taken_over.empty()) ended = false;
  if (update.copies.size() == 1 && copy && copy->other_open) {
    if (ended) messages_.open_begins_at(update.id, *copy->other_open);
  } else if (ended) {
    answer.message_ended = !messages_.has_open(update.id);
  }
  if (answer.message_ended && !notices_.message_ended(update.id, now)) {
    messages_.remove(update.id);
    return answer;
  }
  // Keep history only for messages that stay: it answers why a message waits.
  for (std::size_t i = 0; i < update.copies.size(); ++i) {
    if (answer.copies[i] != Recorded::TooLate) keep_history(update.id, update.copies[i]);
  }
  return answer;
}

std::optional<Outcomes::Copy> Outcomes::find(const mail::MessageId& id, std::uint16_t index) {
  const Use use(select_);
  select_.bind_blob(1, blob_of(id)).bind(2, std::int64_t{index}).bind(3, messages_.open_from(id));
  if (!select_.step()) return std::nullopt;
  Copy copy{.state = state_of(select_.number(0), select_.number(3)),
            .attempts = static_cast<std::uint32_t>(select_.number(1)),
            .next_due_ms = select_.number(2),
            .flags = select_.number(3),
            .other_open = select_.is_null(4) ? std::nullopt : std::optional(select_.number(4)),
            .owed = select_.number(5) != 0,
            .octets = select_.number(6),
            .group = select_.number(7)};
  copy.has_fallback = fallbacks_.stands_by(id, copy.group);
  return copy;
}

void Outcomes::touch(std::vector<Touched>& groups, const CopyUpdate& update, const Copy& copy) {
  auto group = std::ranges::find(groups, copy.group, &Touched::group);
  if (group == groups.end()) {
    groups.push_back({.group = copy.group, .events = {}, .delayed = {}});
    group = std::prev(groups.end());
  }
  group->events.failure = group->events.failure || update.state == RecipientState::Failed;
  group->events.lateness = group->events.lateness || update.overdue;
  if (update.notify == Notify::OfDelay) group->delayed.push_back(update.index);
}

void Outcomes::decide(const mail::MessageId& id, const std::vector<Touched>& groups,
                      ports::RecordAnswer& answer, base::WallTime now) {
  for (const Touched& group : groups) {
    auto decision = fallbacks_.decide(id, group.group, group.events, now);
    if (decision.taken_over) answer.taken_over.push_back(std::move(*decision.taken_over));
    if (!decision.is_over) continue;
    for (const std::uint16_t index : group.delayed) {
      notices_.owe(id, index, Notify::OfDelay, now);
    }
  }
}

Recorded Outcomes::judge(const CopyUpdate& update, const Copy& copy) {
  if (mail::is_final(copy.state) || update.attempts_before != copy.attempts) {
    return Recorded::TooLate;
  }
  const bool held = copy.state == RecipientState::Held;
  if (update.state == RecipientState::Delivered) {
    return held ? Recorded::DespiteHold : Recorded::Yes;
  }
  if (held) return Recorded::StaysHeld;
  return update.changes_before == changes_of(copy.flags) ? Recorded::Yes : Recorded::StaysDue;
}

/// Whether the message ends with this update, as in the common case of a single copy delivered. Its
/// row then need not be updated before it is deleted.
bool Outcomes::ends_message(const ports::Update& update, const Copy& copy) {
  if (update.copies.size() != 1 || copy.other_open || copy.owed || copy.group > 0) return false;
  const CopyUpdate& one = update.copies.front();
  return mail::is_final(one.state) && one.notify == Notify::Nobody;
}

void Outcomes::apply(const mail::MessageId& id, const CopyUpdate& update, const Copy& copy,
                     Recorded recorded, base::WallTime now) {
  const bool counted = counts(recorded);
  const RecipientState state = counted ? update.state : copy.state;
  const mail::DeliveryAttempt last =
      update.attempts.empty() ? mail::DeliveryAttempt{.at = now} : update.attempts.back();
  const std::string status = last.status.to_string();
  const bool waits = counted && state == RecipientState::Waiting;
  const bool untold = counted && copy.has_fallback && update.notify == Notify::OfFailure;
  update_.bind_blob(1, blob_of(id))
      .bind(2, std::int64_t{update.index})
      .bind(3, static_cast<std::int64_t>(state))
      .bind(4, std::int64_t{copy.attempts} + 1)
      .bind(5, waits ? ms_of(now + update.retry_after) : copy.next_due_ms)
      .bind(6, (copy.flags & ~kHeldInPlace) | (counted && update.warned ? kWarned : 0) |
                   (update.possible_duplicate ? kPossibleDuplicate : 0) | (untold ? kUntold : 0))
      .bind(7, static_cast<std::int64_t>(counted ? update.end : mail::End::None));
  bind_attempt(update_, 8, last, status);
  update_.run();
  tally_.copies_out(copy.state);
  tally_.copies_in(state);
  if (counted && !copy.has_fallback) notify(id, update, copy, now);
}

void Outcomes::notify(const mail::MessageId& id, const CopyUpdate& update, const Copy& copy,
                      base::WallTime now) {
  if (update.notify != Notify::Nobody) {
    notices_.owe(id, update.index, update.notify, now);
  } else if (copy.owed && mail::is_final(update.state)) {
    notices_.cancel(id, update.index);
  }
}

void Outcomes::keep_history(const mail::MessageId& id, const CopyUpdate& update) {
  const std::int64_t attempt = std::int64_t{update.attempts_before} + 1;
  const std::int64_t first = attempt % kMaxHistory * kMaxHosts;
  if (attempt >= kMaxHistory) {  // the attempt stored there before may have more hosts
    forget_attempts_.bind_blob(1, blob_of(id))
        .bind(2, std::int64_t{update.index})
        .bind(3, first)
        .bind(4, first + kMaxHosts - 1);
    forget_attempts_.run();
  }
  const auto kept =
      std::span(update.attempts)
          .last(std::min(update.attempts.size(), static_cast<std::size_t>(kMaxHosts)));
  std::int64_t number = first;
  for (const mail::DeliveryAttempt& host : kept) {
    const std::string status = host.status.to_string();
    insert_attempt_.bind_blob(1, blob_of(id)).bind(2, std::int64_t{update.index}).bind(3, number++);
    bind_attempt(insert_attempt_, 4, host, status);
    insert_attempt_.run();
  }
}

void Outcomes::hold_damaged(const mail::MessageId& id, base::WallTime now) {
  hold_waiting_.bind_blob(1, blob_of(id));
  hold_waiting_.run();
  const std::int64_t held = connection_.changes();
  tally_.copies_out(RecipientState::Waiting, held);
  tally_.copies_in(RecipientState::Held, held);
  // What is owed for copies that can be read is told later, not again and again at once.
  notices_.put_off(id, now + ports::DeliveryQueue::kGather);
}

}  // namespace relay::spool
