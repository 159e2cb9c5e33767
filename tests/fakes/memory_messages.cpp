#include "tests/fakes/memory_messages.hpp"

#include <algorithm>

namespace relay::fakes {

using mail::RecipientState;

MemoryCopy* MemoryMessage::copy(std::uint16_t index) {
  const auto found = std::ranges::lower_bound(
      copies, index, {}, [](const MemoryCopy& one) { return one.row.route.index; });
  return found != copies.end() && found->row.route.index == index ? &*found : nullptr;
}

MemoryMessage* MemoryMessages::find(const mail::MessageId& id) {
  const auto found = all_.find(id);
  return found == all_.end() ? nullptr : &found->second;
}

void MemoryMessages::insert(const ports::NewMessage& message, std::vector<std::string> chunks,
                            base::WallTime now) {
  const auto [at, is_new] = all_.try_emplace(message.message.id);
  if (!is_new) return;
  MemoryMessage& made = at->second;
  made.message = message.message;
  made.received_at = now;
  made.chunks = std::move(chunks);
  for (const mail::Route& route : message.routes) {
    MemoryCopy copy{.row = {.route = route,
                            .state = mail::state_on_entry(route),
                            .next_due = now,
                            .last = mail::attempt_on_entry(route, now),
                            .end = route.ended},
                    .alias = route.original.to_string(),
                    .target = route.target.to_string(),
                    .lane = {route.target.domain().folded(), route.handling.risk_pool}};
    if (!mail::is_final(copy.row.state)) ++made.open;
    made.copies.push_back(std::move(copy));
  }
  std::ranges::sort(made.copies, {}, [](const MemoryCopy& one) { return one.row.route.index; });
  for (const MemoryCopy& copy : made.copies) list(made, copy);
  octets_ += made.message.size;
  for (const mail::Route& route : message.routes) {
    if (route.ended != mail::End::Refused || !message.owes_notices) continue;
    owe(made, route.index, ports::Notify::OfFailure, now);
  }
  const bool some_ended = std::ranges::any_of(
      message.routes, [](const mail::Route& route) { return route.ended != mail::End::None; });
  if (some_ended) settle(message.message.id, now);
}

void MemoryMessages::change(MemoryMessage& message, MemoryCopy& copy,
                            const std::function<void(mail::QueuedRecipient&)>& how) {
  const bool was_open = !mail::is_final(copy.row.state);
  unlist(message, copy);
  how(copy.row);
  list(message, copy);
  if (was_open && mail::is_final(copy.row.state)) --message.open;
  if (!was_open && !mail::is_final(copy.row.state)) ++message.open;
}

void MemoryMessages::list(const MemoryMessage& message, const MemoryCopy& copy) {
  const mail::CopyId id{message.message.id, copy.row.route.index};
  if (copy.row.state == RecipientState::Waiting) {
    waiting_.emplace(copy.row.next_due, id);
    lanes_[copy.lane].emplace(copy.row.next_due, id);
  }
  if (copy.row.state == RecipientState::Held) ++held_;
  if (copy.row.route.awaits.empty()) return;
  awaiting_.emplace(copy.row.route.awaits, id);
  ++awaiting_each_[copy.row.route.awaits];
}

void MemoryMessages::unlist(const MemoryMessage& message, const MemoryCopy& copy) {
  const mail::CopyId id{message.message.id, copy.row.route.index};
  if (copy.row.state == RecipientState::Waiting) {
    waiting_.erase({copy.row.next_due, id});
    const auto lane = lanes_.find(copy.lane);
    lane->second.erase({copy.row.next_due, id});
    if (lane->second.empty()) lanes_.erase(lane);
  }
  if (copy.row.state == RecipientState::Held) --held_;
  if (copy.row.route.awaits.empty()) return;
  awaiting_.erase({copy.row.route.awaits, id});
  const auto count = awaiting_each_.find(copy.row.route.awaits);
  if (--count->second == 0) awaiting_each_.erase(count);
}

bool MemoryMessages::settle(const mail::MessageId& id, base::WallTime now) {
  const auto found = all_.find(id);
  if (found == all_.end() || found->second.open > 0) return false;
  MemoryMessage& message = found->second;
  if (message.report_due) {
    set_report_due(message, std::min(*message.report_due, now));
    return true;
  }
  for (const MemoryCopy& copy : message.copies) unlist(message, copy);
  octets_ -= message.message.size;
  all_.erase(found);
  return true;
}

void MemoryMessages::owe(MemoryMessage& message, std::uint16_t index, ports::Notify kind,
                         base::WallTime now) {
  if (kind == ports::Notify::OfDelay && message.delay_told) return;
  message.notices[index] = kind;
  if (!message.report_due) set_report_due(message, now + ports::DeliveryQueue::kGather);
}

void MemoryMessages::cancel(MemoryMessage& message, std::uint16_t index) {
  message.notices.erase(index);
  if (message.notices.empty()) set_report_due(message, std::nullopt);
}

void MemoryMessages::set_report_due(MemoryMessage& message, std::optional<base::WallTime> at) {
  if (message.report_due) reports_.erase({*message.report_due, message.message.id});
  message.report_due = at;
  if (at) reports_.emplace(*at, message.message.id);
}

std::optional<std::vector<std::string>> MemoryMessages::cut(const ports::NewMessage& message) {
  const std::uint64_t size = message.message.size;
  const std::string& content = message.content;
  if (content.size() > size || (size - content.size()) % ports::kChunkOctets != 0) {
    return std::nullopt;
  }
  std::vector<std::string> chunks;
  for (std::size_t at = 0; at < content.size(); at += ports::kChunkOctets) {
    chunks.push_back(content.substr(at, ports::kChunkOctets));
  }
  return chunks;
}

std::uint64_t MemoryMessages::awaiting(const std::string& address) const {
  const auto found = awaiting_each_.find(address);
  return found == awaiting_each_.end() ? 0 : found->second;
}

ports::QueueTotals MemoryMessages::totals() const {
  return {.messages = all_.size(),
          .waiting = waiting_.size(),
          .held = held_,
          .bytes = octets_,
          .owed_reports = reports_.size()};
}

}  // namespace relay::fakes
