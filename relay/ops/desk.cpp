#include "relay/ops/desk.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "relay/base/text.hpp"
#include "relay/mail/header.hpp"
#include "relay/ports/operator_queue.hpp"

namespace relay::ops {

namespace {

using ports::QueueAction;

constexpr std::size_t kMaxHeaderOctets = 256UL * 1024;
constexpr std::size_t kMaxReasonOctets = 400;
constexpr std::string_view kNoMessage = "no such message in the queue";

Refusal storage(ports::SpoolError error) {
  if (error == ports::SpoolError::NotFound) return {ExitCode::NotFound, std::string(kNoMessage)};
  return {ExitCode::Temporary, std::string(ports::describe(error))};
}

std::optional<Refusal> no_good_reason(const Order& order, bool needed) {
  if (needed && order.reason.empty()) {
    return Refusal{ExitCode::Usage, fmt::format("{} needs --reason; it is written to the log",
                                                name(order.verb).substr(6))};
  }
  if (order.reason.size() > kMaxReasonOctets) {
    return Refusal{ExitCode::Usage,
                   fmt::format("--reason has at most {} octets", kMaxReasonOctets)};
  }
  return std::nullopt;
}

/// The lane that the delivery side puts the copy in.
ports::LaneKey lane_of(const ports::QueueRow& row) {
  const std::size_t at = row.target.rfind('@');
  const std::string domain = at == std::string::npos ? row.target : row.target.substr(at + 1);
  return {.domain = base::lower(domain), .risk_pool = row.handling.risk_pool};
}

}  // namespace

Desk::Desk(Controls controls)
    : controls_(std::move(controls)),
      pauses_(controls_.queue, controls_.delivery, controls_.clock) {}

/// As `pause` takes them, mx: takes the name of a group, too.
ports::QueueFilter Desk::with_groups(ports::QueueFilter filter) const {
  for (ports::QueueCondition& condition : filter.conditions) {
    if (condition.field != ports::QueueCondition::Field::Host) continue;
    condition.group = controls_.hosts_of_group(condition.text);
  }
  return filter;
}

base::Task<Answer<ListPage>> Desk::list(ports::QueueFilter filter,
                                        std::optional<mail::CopyId> after, std::size_t limit) {
  auto page = co_await controls_.queue.list(with_groups(std::move(filter)), after, limit);
  if (!page) co_return std::unexpected(storage(page.error()));
  if (page->next && after && *page->next <= *after) {
    // A page that does not advance would make the listing endless.
    co_return std::unexpected(storage(ports::SpoolError::Corrupt));
  }
  co_return ListPage{
      .now = controls_.queue.now(), .rows = std::move(page->rows), .next = page->next};
}

base::Task<Answer<std::optional<mail::MessageId>>> Desk::first_match(
    ports::QueueFilter filter, std::optional<mail::CopyId> after) {
  do {
    auto page = co_await list(filter, after, 1);
    if (!page) co_return std::unexpected(page.error());
    if (!page->rows.empty()) co_return page->rows.front().copy.message;
    after = page->next;
  } while (after);
  co_return std::nullopt;
}

base::Task<Answer<mail::MessageId>> Desk::the_message(ports::QueueFilter filter) {
  using Field = ports::QueueCondition::Field;
  if (filter.conditions.size() == 1) {
    // A whole id: the message is found even when all its copies have ended.
    const auto& only = filter.conditions.front();
    const auto id = mail::MessageId::parse(only.text);
    if (only.field == Field::Id && !only.negated && id) co_return *id;
  }
  const auto first = co_await first_match(filter, std::nullopt);
  if (!first) co_return std::unexpected(first.error());
  if (!*first) co_return std::unexpected(Refusal{ExitCode::NotFound, std::string(kNoMessage)});
  const mail::CopyId behind{.message = **first, .index = UINT16_MAX};
  const auto other = co_await first_match(std::move(filter), behind);
  if (!other) co_return std::unexpected(other.error());
  if (*other) {
    co_return std::unexpected(
        Refusal{ExitCode::Usage, "that matches several messages; give more of the id"});
  }
  co_return **first;
}

base::Task<Answer<MessageView>> Desk::show(ports::QueueFilter filter) {
  const auto id = co_await the_message(std::move(filter));
  if (!id) co_return std::unexpected(id.error());
  auto copies = co_await controls_.queue.copies(*id);
  if (!copies) co_return std::unexpected(storage(copies.error()));
  if (copies->empty()) co_return std::unexpected(storage(ports::SpoolError::NotFound));
  MessageView view{.now = controls_.queue.now(), .copies = std::move(*copies)};
  std::string read;
  for (std::uint32_t sequence = 0; read.size() <= kMaxHeaderOctets; ++sequence) {
    const auto chunk = co_await controls_.queue.read(*id, sequence);
    if (!chunk) co_return std::unexpected(storage(chunk.error()));
    read += *chunk;
    const auto header = mail::header_length(read);
    // A message may consist of a header only.
    if (!header && !chunk->empty()) continue;
    const std::size_t octets = header.value_or(read.size());
    view.header_cut = octets > kMaxHeaderOctets;
    view.header = read.substr(0, std::min(octets, kMaxHeaderOctets));
    co_return view;
  }
  view.header = read.substr(0, kMaxHeaderOctets);
  view.header_cut = true;
  co_return view;
}

base::Task<Answer<std::string>> Desk::content(mail::MessageId id, std::uint32_t piece) {
  auto chunk = co_await controls_.queue.read(id, piece);
  if (!chunk) co_return std::unexpected(storage(chunk.error()));
  co_return std::move(*chunk);
}

base::Task<Answer<WhyView>> Desk::why(ports::QueueFilter filter) {
  const auto id = co_await the_message(std::move(filter));
  if (!id) co_return std::unexpected(id.error());
  auto copies = co_await controls_.queue.copies(*id);
  if (!copies) co_return std::unexpected(storage(copies.error()));
  if (copies->empty()) co_return std::unexpected(storage(ports::SpoolError::NotFound));
  auto attempts = co_await controls_.queue.attempts(*id);
  if (!attempts) co_return std::unexpected(storage(attempts.error()));
  WhyView view{.now = controls_.queue.now(), .copies = {}, .history = std::move(*attempts)};
  for (auto& row : *copies) view.copies.push_back(outlook(std::move(row)));
  co_return view;
}

CopyOutlook Desk::outlook(ports::QueueRow row) const {
  CopyOutlook copy{.row = std::move(row), .waits_for = {}, .expires = {}};
  if (copy.row.state != mail::RecipientState::Waiting) return copy;
  // For a copy that was held, the time until expiry begins at its release.
  const bool released = copy.row.released_at != base::WallTime{};
  copy.expires = (released ? copy.row.released_at : copy.row.received_at) + controls_.expire();
  copy.waits_for = controls_.delivery.why_waiting(copy.row.copy, lane_of(copy.row), copy.row.alias);
  return copy;
}

base::Task<Answer<ChangeView>> Desk::change(Order order, ports::QueueFilter filter,
                                            QueueAction action, Progress* progress) {
  const bool ends = action == QueueAction::Drop || action == QueueAction::Bounce;
  if (auto refusal = no_good_reason(order, ends)) co_return std::unexpected(std::move(*refusal));
  const Verb verb = order.verb;
  auto done = co_await change_all(controls_, std::move(order), with_groups(std::move(filter)),
                                  action, progress);
  if (done) metrics_.changed.at(verb).add(done->changed);
  co_return done;
}

bool Desk::would_change(const ports::QueueRow& row, QueueAction action) {
  switch (action) {
    case QueueAction::Retry:
      return row.state == mail::RecipientState::Waiting;
    case QueueAction::Hold:  // a copy that awaits consent becomes held by the operator
      return row.state == mail::RecipientState::Waiting ||
             (row.state == mail::RecipientState::Held && !row.awaits.empty());
    case QueueAction::Release:
      return row.state == mail::RecipientState::Held;
    case QueueAction::Drop:
    case QueueAction::Bounce:
      return !mail::is_final(row.state);
  }
  return false;
}

base::Task<Answer<PauseView>> Desk::pause(Order order, PauseTarget target,
                                          std::optional<std::chrono::milliseconds> span) {
  if (auto refusal = no_good_reason(order, true)) co_return std::unexpected(std::move(*refusal));
  auto rule = co_await pauses_.pause(target.kind, std::move(target.value), order.reason, span);
  if (!rule) co_return std::unexpected(storage(rule.error()));
  base::Event event = admin_event(order, controls_.clock.wall());
  if (rule->until) event.text("until", base::rfc3339(*rule->until));
  controls_.log.write(std::move(event));
  co_return PauseView{.now = controls_.queue.now(), .rule = std::move(*rule)};
}

base::Task<Answer<PauseView>> Desk::resume(Order order, PauseTarget target) {
  auto rule = co_await pauses_.resume(target.kind, target.value);
  if (!rule) co_return std::unexpected(storage(rule.error()));
  if (!*rule) {
    co_return std::unexpected(
        Refusal{ExitCode::NotFound, fmt::format("no such pause: {}:{}; `status` shows them all",
                                                name(target.kind), target.value)});
  }
  controls_.log.write(admin_event(order, controls_.clock.wall()));
  co_return PauseView{.now = controls_.queue.now(), .rule = std::move(**rule), .holds = false};
}

base::Task<StatusView> Desk::status() {
  auto totals = co_await controls_.queue.totals();
  co_return StatusView{.now = controls_.queue.now(),
                       .daemon = controls_.status(),
                       .totals = std::move(totals),
                       .pauses = pauses_.rules()};
}

base::Task<ReloadView> Desk::reload(Asker asker) {
  co_return co_await controls_.reload(std::move(asker));
}

}  // namespace relay::ops
