#include "tests/fakes/memory_outcomes.hpp"

#include <algorithm>
#include <set>

#include "tests/fakes/memory_fallbacks.hpp"

namespace relay::fakes {

using mail::RecipientState;
using ports::Notify;
using ports::Recorded;
using ports::SpoolError;

namespace {

Recorded judge(const ports::CopyUpdate& update, const mail::QueuedRecipient& row) {
  if (mail::is_final(row.state) || row.attempts != update.attempts_before) {
    return Recorded::TooLate;
  }
  const bool held = row.state == RecipientState::Held;
  if (update.state == RecipientState::Delivered) {
    return held ? Recorded::DespiteHold : Recorded::Yes;
  }
  if (held) return Recorded::StaysHeld;
  return row.changes == update.changes_before ? Recorded::Yes : Recorded::StaysDue;
}

/// `may_be_replaced`: no failure is reported while a fallback may take over.
void apply(MemoryCore& core, MemoryMessage& message, MemoryCopy& copy,
           const ports::CopyUpdate& update, Recorded recorded, bool may_be_replaced) {
  const bool counted = counts(recorded);
  core.messages.change(message, copy, [&](mail::QueuedRecipient& row) {
    ++row.attempts;
    row.possible_duplicate = row.possible_duplicate || update.possible_duplicate;
    row.last =
        update.attempts.empty() ? mail::DeliveryAttempt{.at = core.now()} : update.attempts.back();
    if (!counted) return;
    row.warned = row.warned || update.warned;
    row.state = update.state;
    row.end = update.end;
    if (row.state == RecipientState::Waiting) row.next_due = core.now() + update.retry_after;
  });
  for (const mail::DeliveryAttempt& attempt : update.attempts) {
    message.history.push_back({update.index, attempt});
  }
  if (!counted) return;
  if (may_be_replaced) {
    copy.untold = update.notify == Notify::OfFailure;
    return;
  }
  if (update.notify != Notify::Nobody) {
    core.messages.owe(message, update.index, update.notify, core.now());
  } else if (mail::is_final(update.state)) {
    core.messages.cancel(message, update.index);
  }
}

/// Of all copies of the update that belong to the group.
void decide(MemoryCore& core, MemoryMessage& message, std::uint16_t group,
            const std::vector<const ports::CopyUpdate*>& updates, ports::RecordAnswer& answer) {
  const auto is_of_group = [&](const ports::CopyUpdate* one) {
    return message.copy(one->index)->row.route.group == group;
  };
  bool failure = false;
  bool lateness = false;
  for (const ports::CopyUpdate* one : updates) {
    if (!is_of_group(one)) continue;
    failure = failure || one->state == RecipientState::Failed;
    lateness = lateness || one->overdue;
  }
  auto decision = decide_group(core, message, group, failure, lateness);
  if (decision.taken_over) answer.taken_over.push_back(std::move(*decision.taken_over));
  if (!decision.is_over) return;
  for (const ports::CopyUpdate* one : updates) {
    if (!is_of_group(one) || one->notify != Notify::OfDelay) continue;
    core.messages.owe(message, one->index, Notify::OfDelay, core.now());
  }
}

}  // namespace

std::expected<ports::RecordAnswer, SpoolError> record_in(MemoryCore& core,
                                                         const ports::Update& update) {
  MemoryMessage* message = core.messages.find(update.id);
  if (message == nullptr) return std::unexpected(SpoolError::NotFound);
  ports::RecordAnswer answer;
  bool ended = false;
  std::set<std::uint16_t> groups;
  std::vector<const ports::CopyUpdate*> counted;
  for (const ports::CopyUpdate& one : update.copies) {
    MemoryCopy* copy = message->copy(one.index);
    const Recorded recorded = copy == nullptr ? Recorded::TooLate : judge(one, copy->row);
    answer.copies.push_back(recorded);
    if (recorded == Recorded::TooLate) continue;
    const bool may_be_replaced = stands_by(*message, copy->row.route.group);
    apply(core, *message, *copy, one, recorded, may_be_replaced);
    ended = ended || mail::is_final(copy->row.state);
    if (!may_be_replaced || !counts(recorded)) continue;
    groups.insert(copy->row.route.group);
    counted.push_back(&one);
  }
  for (const std::uint16_t group : groups) decide(core, *message, group, counted, answer);
  core.updates.push_back(update);
  answer.message_ended = ended && core.messages.settle(update.id, core.now());
  return answer;
}

std::expected<ports::Notices, SpoolError> notices_in(MemoryCore& core, const mail::MessageId& id) {
  MemoryMessage* message = core.messages.find(id);
  if (message == nullptr || message->notices.empty()) {
    return std::unexpected(SpoolError::NotFound);
  }
  if (message->rows_damaged) return std::unexpected(SpoolError::Corrupt);
  ports::Notices made{.queued = {.message = message->message,
                                 .recipients = {},
                                 .received_at = message->received_at},
                      .notices = {}};
  for (const MemoryCopy& copy : message->copies) made.queued.recipients.push_back(copy.row);
  for (const auto& [index, kind] : message->notices) {
    const mail::QueuedRecipient& row = message->copy(index)->row;
    const bool was_held = row.released_at != base::WallTime{};
    made.notices.push_back({.index = index,
                            .kind = kind,
                            .route = row.route,
                            .attempt = row.last,
                            .end = row.end,
                            .waiting_since = was_held ? row.released_at : message->received_at});
  }
  return made;
}

std::expected<void, SpoolError> pay_in(MemoryCore& core, const ports::Report& report) {
  MemoryMessage* message = core.messages.find(report.id);
  if (message == nullptr || !message->report_due) return std::unexpected(SpoolError::NotFound);
  const bool all_there = std::ranges::all_of(report.notices, [&](const auto& notice) {
    const auto found = message->notices.find(notice.first);
    return found != message->notices.end() && found->second == notice.second;
  });
  if (!all_there) return std::unexpected(SpoolError::NotFound);
  std::vector<std::vector<std::string>> contents;
  for (const ports::NewMessage& dsn : report.dsns) {
    auto chunks = MemoryMessages::cut(dsn);
    if (!chunks) return std::unexpected(SpoolError::Corrupt);
    contents.push_back(std::move(*chunks));
  }
  for (const auto& [index, kind] : report.notices) {
    message->notices.erase(index);
  }
  if (report.tells_sender_of_delay) {
    message->delay_told = true;
    std::erase_if(message->notices, [](const auto& one) { return one.second == Notify::OfDelay; });
  }
  const auto next = message->open == 0 ? core.now() : core.now() + ports::DeliveryQueue::kGather;
  core.messages.set_report_due(*message,
                               message->notices.empty() ? std::nullopt : std::optional(next));
  for (std::size_t i = 0; i < report.dsns.size(); ++i) {
    core.messages.insert(report.dsns[i], std::move(contents[i]), core.now());
  }
  core.messages.settle(report.id, core.now());
  return {};
}

}  // namespace relay::fakes
