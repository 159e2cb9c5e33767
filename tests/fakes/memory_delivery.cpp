#include "tests/fakes/memory_delivery.hpp"

#include <algorithm>

#include "tests/fakes/memory_outcomes.hpp"

namespace relay::fakes {

using ports::SpoolError;

namespace {

using Span = std::optional<std::chrono::milliseconds>;

constexpr std::chrono::milliseconds kTick{1};  // of the clock
constexpr std::size_t kLongestPage = 64;       // so that long listings come in pieces

}  // namespace

std::expected<std::string, SpoolError> content_of(MemoryCore& core, mail::MessageId id,
                                                  std::uint32_t sequence) {
  const MemoryMessage* message = core.messages.find(id);
  if (message == nullptr) return std::unexpected(SpoolError::NotFound);
  if (sequence >= message->damaged_from) return std::unexpected(SpoolError::Corrupt);
  return sequence < message->chunks.size() ? message->chunks[sequence] : std::string();
}

base::Task<std::expected<mail::QueuedMessage, SpoolError>> MemoryDelivery::load(
    mail::MessageId id, std::vector<std::uint16_t> indices) {
  using Result = std::expected<mail::QueuedMessage, SpoolError>;
  return core_.read([this, id, indices = std::move(indices)]() mutable -> Result {
    MemoryMessage* message = core_.messages.find(id);
    if (message == nullptr) return std::unexpected(SpoolError::NotFound);
    std::ranges::sort(indices);
    const auto repeated = std::ranges::unique(indices);
    indices.erase(repeated.begin(), repeated.end());
    mail::QueuedMessage queued{
        .message = message->message, .recipients = {}, .received_at = message->received_at};
    for (const std::uint16_t index : indices) {
      if (const MemoryCopy* copy = message->copy(index)) queued.recipients.push_back(copy->row);
    }
    if (queued.recipients.empty()) return std::unexpected(SpoolError::NotFound);
    if (message->rows_damaged) return std::unexpected(SpoolError::Corrupt);
    return queued;
  });
}

base::Task<std::expected<std::string, SpoolError>> MemoryDelivery::read(mail::MessageId id,
                                                                        std::uint32_t sequence) {
  return core_.read([this, id, sequence] { return content_of(core_, id, sequence); });
}

base::Task<std::expected<ports::RecordAnswer, SpoolError>> MemoryDelivery::record(
    ports::Update update) {
  return core_.write([this, update = std::move(update)] { return record_in(core_, update); });
}

base::Task<std::expected<void, SpoolError>> MemoryDelivery::hold_damaged(mail::MessageId id) {
  return core_.write([this, id]() -> std::expected<void, SpoolError> {
    MemoryMessage* message = core_.messages.find(id);
    if (message == nullptr) return {};
    for (MemoryCopy& copy : message->copies) {
      const auto owed = message->notices.find(copy.row.route.index);
      const bool untellable = message->rows_damaged && owed != message->notices.end();
      if (untellable) core_.messages.cancel(*message, copy.row.route.index);
      const bool failed = copy.row.state == mail::RecipientState::Failed;
      if (copy.row.state != mail::RecipientState::Waiting && !(failed && untellable)) continue;
      core_.messages.change(*message, copy, [](mail::QueuedRecipient& row) {
        row.state = mail::RecipientState::Held;
        row.end = mail::End::None;
      });
    }
    if (message->report_due) core_.messages.set_report_due(*message, now() + kGather);
    return {};
  });
}

ports::DuePage MemoryDelivery::due_of(const std::set<MemoryMessages::DueKey>& keys,
                                      const std::optional<ports::DueCursor>& after,
                                      std::size_t limit) {
  ports::DuePage page;
  auto at = after ? keys.upper_bound({after->next_due, after->copy}) : keys.begin();
  for (; at != keys.end() && at->first <= now(); ++at) {
    const MemoryCopy& copy = *core_.messages.find(at->second.message)->copy(at->second.index);
    page.copies.push_back(
        {.copy = at->second, .lane = copy.lane, .alias = copy.alias, .next_due = at->first});
    if (page.copies.size() < std::min(limit, kLongestPage)) continue;
    page.next = ports::DueCursor{at->first, at->second};
    break;
  }
  return page;
}

base::Task<std::expected<ports::DuePage, SpoolError>> MemoryDelivery::due(
    std::optional<ports::DueCursor> after, std::size_t limit) {
  using Result = std::expected<ports::DuePage, SpoolError>;
  return core_.read(
      [this, after, limit]() -> Result { return due_of(core_.messages.waiting(), after, limit); });
}

base::Task<std::expected<ports::DuePage, SpoolError>> MemoryDelivery::due_in_lane(
    ports::LaneKey lane, std::optional<ports::DueCursor> after, std::size_t limit) {
  using Result = std::expected<ports::DuePage, SpoolError>;
  return core_.read([this, lane = std::move(lane), after, limit]() -> Result {
    const auto found = core_.messages.lanes().find(lane);
    if (found == core_.messages.lanes().end()) return ports::DuePage();
    return due_of(found->second, after, limit);
  });
}

base::Task<std::expected<std::vector<ports::WaitingLane>, SpoolError>>
MemoryDelivery::waiting_lanes(std::optional<ports::LaneKey> after, std::size_t limit) {
  using Result = std::expected<std::vector<ports::WaitingLane>, SpoolError>;
  return core_.read([this, after = std::move(after), limit]() -> Result {
    const auto& lanes = core_.messages.lanes();
    std::vector<ports::WaitingLane> found;
    auto at = after ? lanes.upper_bound(*after) : lanes.begin();
    for (; at != lanes.end() && found.size() < limit; ++at) {
      found.push_back({.key = at->first, .due_in = at->second.begin()->first - now()});
    }
    return found;
  });
}

base::Task<std::expected<Span, SpoolError>> MemoryDelivery::next_due_in() {
  return core_.read([this]() -> std::expected<Span, SpoolError> {
    const auto at = core_.messages.waiting().lower_bound({now() + kTick, {}});
    if (at == core_.messages.waiting().end()) return std::nullopt;
    return at->first - now();
  });
}

base::Task<std::expected<std::size_t, SpoolError>> MemoryDelivery::undo_far_due_times(
    std::chrono::milliseconds longest, std::size_t limit) {
  return core_.write([this, longest, limit]() -> std::expected<std::size_t, SpoolError> {
    std::size_t changed = 0;
    const auto& waiting = core_.messages.waiting();
    while (changed < limit && !waiting.empty() && waiting.rbegin()->first > now() + longest) {
      const mail::CopyId id = waiting.rbegin()->second;
      MemoryMessage& message = *core_.messages.find(id.message);
      core_.messages.change(message, *message.copy(id.index),
                            [&](mail::QueuedRecipient& row) { row.next_due = now(); });
      ++changed;
    }
    return changed;
  });
}

base::Task<std::expected<std::vector<mail::MessageId>, SpoolError>> MemoryDelivery::reports_due(
    std::size_t limit) {
  using Result = std::expected<std::vector<mail::MessageId>, SpoolError>;
  return core_.read([this, limit]() -> Result {
    std::vector<mail::MessageId> ids;
    const auto& reports = core_.messages.reports();
    const auto take = [&](auto from, auto to) {
      for (; from != to && ids.size() < limit; ++from) ids.push_back(from->second);
    };
    take(reports.begin(), reports.lower_bound({now() + kTick, {}}));
    // Later than any can be: a wrong clock did that.
    take(reports.lower_bound({now() + kGather + kTick, {}}), reports.end());
    return ids;
  });
}

base::Task<std::expected<Span, SpoolError>> MemoryDelivery::next_report_in() {
  return core_.read([this]() -> std::expected<Span, SpoolError> {
    const auto& reports = core_.messages.reports();
    if (reports.empty()) return std::nullopt;
    const auto wait = std::max(reports.begin()->first - now(), std::chrono::milliseconds(0));
    return wait > kGather ? std::chrono::milliseconds(0) : wait;
  });
}

base::Task<std::expected<ports::Notices, SpoolError>> MemoryDelivery::notices(mail::MessageId id) {
  return core_.read([this, id] { return notices_in(core_, id); });
}

base::Task<std::expected<void, SpoolError>> MemoryDelivery::report(ports::Report report) {
  return core_.write([this, report = std::move(report)] { return pay_in(core_, report); });
}

}  // namespace relay::fakes
