#include "tests/fakes/memory_operator.hpp"

#include <algorithm>

#include "relay/base/text.hpp"
#include "tests/fakes/memory_delivery.hpp"
#include "tests/fakes/memory_fallbacks.hpp"

namespace relay::fakes {

using mail::RecipientState;
using ports::QueueAction;
using ports::SpoolError;

namespace {

constexpr std::size_t kMostLookedAt = 1000;
constexpr std::size_t kMostChanged = 250;

bool selected(const ports::QueueFilter& filter, const MemoryMessage& message,
              const MemoryCopy& copy, base::WallTime now) {
  const bool tried = copy.row.last.at != base::WallTime{};
  const std::string mail_from = message.message.reverse_path.to_string();
  const std::string code = tried ? copy.row.last.status.to_string() : std::string();
  return ports::matches(filter,
                        {.id = message.message.id,
                         .target = copy.target,
                         .alias = copy.alias,
                         .mail_from = mail_from,
                         .host = copy.row.last.host,
                         .code = code,
                         .message_id = message.message.message_id,
                         .received_at = message.received_at,
                         .state = copy.row.state,
                         .attempts = copy.row.attempts},
                        now);
}

ports::QueueRow row_of(const MemoryMessage& message, const MemoryCopy& copy) {
  const mail::AcceptedMessage& m = message.message;
  const mail::QueuedRecipient& row = copy.row;
  return {.copy = {m.id, row.route.index},
          .received_at = message.received_at,
          .size = m.size,
          .client = m.client.address,
          .helo = m.client.helo,
          .tls = m.client.tls_version,
          .message_id = m.message_id,
          .mail_from = m.reverse_path.to_string(),
          .alias = copy.alias,
          .target = copy.target,
          .sender = row.route.reverse_path.to_string(),
          .handling = row.route.handling,
          .held_on_entry = row.route.held,
          .awaits = row.route.awaits,
          .state = row.state,
          .end = row.end,
          .attempts = row.attempts,
          .next_due = row.next_due,
          .released_at = row.released_at,
          .warned = row.warned,
          .possible_duplicate = row.possible_duplicate,
          .last = row.last};
}

bool applies(QueueAction action, const mail::QueuedRecipient& row) {
  const bool waits = row.state == RecipientState::Waiting;
  if (action == QueueAction::Retry) return waits;
  if (action == QueueAction::Hold) return waits || !row.route.awaits.empty();
  return action != QueueAction::Release || !waits;
}

void change_row(mail::QueuedRecipient& row, QueueAction action, const std::string& reason,
                base::WallTime now) {
  row.route.awaits.clear();
  switch (action) {
    case QueueAction::Retry:
      row.next_due = std::min(row.next_due, now);
      break;
    case QueueAction::Hold:
      row.state = RecipientState::Held;
      break;
    case QueueAction::Release:
      row.state = RecipientState::Waiting;
      row.next_due = now;
      row.released_at = now;
      break;
    case QueueAction::Drop:
    case QueueAction::Bounce:
      row.state = RecipientState::Failed;
      row.end = action == QueueAction::Drop ? mail::End::Dropped : mail::End::Returned;
      row.last = {.at = now, .stage = mail::Stage::Policy, .status = {5, 7, 1}, .text = reason};
      break;
  }
}

void apply(MemoryCore& core, const mail::CopyId& id, QueueAction action,
           const std::string& reason) {
  MemoryMessage& message = *core.messages.find(id.message);
  core.messages.change(message, *message.copy(id.index), [&](mail::QueuedRecipient& row) {
    if (action == QueueAction::Retry || action == QueueAction::Release) ++row.changes;
    change_row(row, action, reason, core.now());
  });
  if (action != QueueAction::Drop && action != QueueAction::Bounce) return;
  const bool can_be_told = !message.message.reverse_path.is_null() && !message.rows_damaged;
  if (action == QueueAction::Bounce && can_be_told) {
    core.messages.owe(message, id.index, ports::Notify::OfFailure, core.now());
  } else {
    core.messages.cancel(message, id.index);
  }
  const std::uint16_t group = message.copy(id.index)->row.route.group;
  if (stands_by(message, group)) decide_group(core, message, group, false, false);
  core.messages.settle(id.message, core.now());
}

}  // namespace

std::optional<mail::CopyId> MemoryOperator::each(
    const ports::QueueFilter& filter, const std::optional<mail::CopyId>& after, std::size_t most,
    const std::function<bool(const MemoryMessage&, const MemoryCopy&)>& visit) {
  const auto range = ports::id_range(filter);
  if (!range) return std::nullopt;
  const auto& all = core_.messages.all();
  auto at = all.lower_bound(after ? std::max(after->message, range->first) : range->first);
  for (; at != all.end() && at->first <= range->last; ++at) {
    for (const MemoryCopy& copy : at->second.copies) {
      const mail::CopyId id{at->first, copy.row.route.index};
      if (after && id <= *after) continue;
      const bool enough = !mail::is_final(copy.row.state) &&
                          selected(filter, at->second, copy, now()) && !visit(at->second, copy);
      if (--most == 0 || enough) return id;
    }
  }
  return std::nullopt;
}

base::Task<std::expected<ports::QueuePage, SpoolError>> MemoryOperator::list(
    ports::QueueFilter filter, std::optional<mail::CopyId> after, std::size_t limit) {
  using Result = std::expected<ports::QueuePage, SpoolError>;
  return core_.read([this, filter = std::move(filter), after, limit]() -> Result {
    ports::QueuePage page;
    if (limit == 0) return page;
    page.next = each(filter, after, 4 * kMostLookedAt, [&](const auto& message, const auto& copy) {
      page.rows.push_back(row_of(message, copy));
      return page.rows.size() < limit;
    });
    return page;
  });
}

base::Task<std::expected<std::vector<ports::QueueRow>, SpoolError>> MemoryOperator::copies(
    mail::MessageId id) {
  using Result = std::expected<std::vector<ports::QueueRow>, SpoolError>;
  return core_.read([this, id]() -> Result {
    const MemoryMessage* message = core_.messages.find(id);
    if (message == nullptr) return std::unexpected(SpoolError::NotFound);
    std::vector<ports::QueueRow> rows;
    for (const MemoryCopy& copy : message->copies) rows.push_back(row_of(*message, copy));
    return rows;
  });
}

base::Task<std::expected<std::vector<ports::AttemptRow>, SpoolError>> MemoryOperator::attempts(
    mail::MessageId id) {
  using Result = std::expected<std::vector<ports::AttemptRow>, SpoolError>;
  return core_.read([this, id]() -> Result {
    const MemoryMessage* message = core_.messages.find(id);
    return message == nullptr ? std::vector<ports::AttemptRow>() : message->history;
  });
}

base::Task<std::expected<std::string, SpoolError>> MemoryOperator::read(mail::MessageId id,
                                                                        std::uint32_t sequence) {
  return core_.read([this, id, sequence] { return content_of(core_, id, sequence); });
}

base::Task<std::expected<ports::ChangedSlice, SpoolError>> MemoryOperator::change(
    ports::QueueFilter filter, QueueAction action, std::string reason,
    std::optional<mail::CopyId> after) {
  using Result = std::expected<ports::ChangedSlice, SpoolError>;
  return core_.write(
      [this, filter = std::move(filter), action, reason = std::move(reason), after]() -> Result {
        ports::ChangedSlice slice;
        slice.next = each(filter, after, kMostLookedAt, [&](const auto& message, const auto& copy) {
          const mail::CopyId id{message.message.id, copy.row.route.index};
          if (applies(action, copy.row)) {
            slice.changed.push_back(id);
          } else if (action == QueueAction::Hold) {
            slice.held_before.push_back(id);
          }
          return slice.changed.size() < kMostChanged;
        });
        for (const mail::CopyId& id : slice.changed) apply(core_, id, action, reason);
        return slice;
      });
}

base::Task<std::expected<ports::QueueTotals, SpoolError>> MemoryOperator::totals() {
  return core_.read([this]() -> std::expected<ports::QueueTotals, SpoolError> {
    return core_.messages.totals();
  });
}

base::Task<std::expected<ports::PauseRule, SpoolError>> MemoryOperator::pause(
    ports::PauseRule::Kind kind, std::string value, std::string reason,
    std::optional<std::chrono::milliseconds> span) {
  using Result = std::expected<ports::PauseRule, SpoolError>;
  return core_.write(
      [this, kind, value = base::lower(value), reason = std::move(reason), span]() -> Result {
        ports::PauseRule rule{
            .kind = kind, .value = value, .reason = reason, .since = now(), .until = {}};
        if (span) rule.until = rule.since + *span;
        core_.pauses.insert_or_assign(std::pair(kind, value), rule);
        return rule;
      });
}

base::Task<std::expected<bool, SpoolError>> MemoryOperator::resume(ports::PauseRule::Kind kind,
                                                                   std::string value) {
  return core_.write([this, kind, value = base::lower(value)]() -> std::expected<bool, SpoolError> {
    return core_.pauses.erase(std::pair(kind, value)) > 0;
  });
}

base::Task<std::expected<std::vector<ports::PauseRule>, SpoolError>> MemoryOperator::pauses() {
  using Result = std::expected<std::vector<ports::PauseRule>, SpoolError>;
  return core_.read([this]() -> Result {
    std::erase_if(core_.pauses, [this](const auto& entry) {
      return entry.second.until && *entry.second.until <= now();
    });
    std::vector<ports::PauseRule> rules;
    for (const auto& [key, rule] : core_.pauses) rules.push_back(rule);
    return rules;
  });
}

base::Task<std::expected<std::uint64_t, SpoolError>> MemoryConsent::awaiting(
    std::vector<std::string> addresses) {
  using Result = std::expected<std::uint64_t, SpoolError>;
  return core_.read([this, addresses = std::move(addresses)]() -> Result {
    std::uint64_t most = 0;
    for (const std::string& address : addresses) {
      most = std::max(most, core_.messages.awaiting(address));
    }
    return most;
  });
}

base::Task<std::expected<std::vector<ports::AwaitingCopy>, SpoolError>>
MemoryConsent::awaiting_copies(std::optional<ports::AwaitingCopy> after, std::size_t limit) {
  using Result = std::expected<std::vector<ports::AwaitingCopy>, SpoolError>;
  return core_.read([this, after = std::move(after), limit]() -> Result {
    const auto& all = core_.messages.awaiting();
    std::vector<ports::AwaitingCopy> copies;
    auto at = after ? all.upper_bound({after->awaits, after->copy}) : all.begin();
    for (; at != all.end() && copies.size() < limit; ++at) {
      const mail::CopyId& id = at->second;
      copies.push_back({.awaits = at->first,
                        .copy = id,
                        .target = core_.messages.find(id.message)->copy(id.index)->target});
    }
    return copies;
  });
}

base::Task<std::expected<std::uint64_t, SpoolError>> MemoryConsent::release(
    std::vector<ports::AwaitingCopy> copies) {
  using Result = std::expected<std::uint64_t, SpoolError>;
  return core_.write([this, copies = std::move(copies)]() -> Result {
    std::uint64_t released = 0;
    for (const ports::AwaitingCopy& one : copies) {
      MemoryMessage* message = core_.messages.find(one.copy.message);
      MemoryCopy* copy = message == nullptr ? nullptr : message->copy(one.copy.index);
      if (copy == nullptr || copy->row.route.awaits.empty()) continue;
      core_.messages.change(*message, *copy, [&](mail::QueuedRecipient& row) {
        change_row(row, QueueAction::Release, {}, core_.now());
      });
      ++released;
    }
    return released;
  });
}

}  // namespace relay::fakes
