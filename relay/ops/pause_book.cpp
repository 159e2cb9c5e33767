#include "relay/ops/pause_book.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "relay/ports/operator_queue.hpp"

namespace relay::ops {

namespace {

using ports::PauseRule;

constexpr std::chrono::seconds kAgain{5};
// Short enough to be added to a point in time, and to notice a wrong clock within a day.
constexpr std::chrono::hours kLongestSleep{24};

bool before(const PauseRule& a, const PauseRule& b) {
  return std::tie(a.kind, a.value) < std::tie(b.kind, b.value);
}

}  // namespace

base::Task<std::expected<void, ports::SpoolError>> PauseBook::restore() {
  std::expected<void, ports::SpoolError> ok;
  // If a rule was added or removed while the store answered, the answer may be out of date: ask
  // again. Each repetition needs another verb of an operator, so this ends.
  while (true) {
    const std::uint64_t seen = changes_;
    auto stored = co_await queue_.pauses();
    if (!stored) co_return std::unexpected(stored.error());
    if (seen != changes_) continue;
    rules_ = std::move(*stored);
    std::ranges::sort(rules_, before);
    put_in_force();
    co_return ok;
  }
}

base::Task<> PauseBook::keep() {
  while (true) {
    const auto read = co_await restore();
    const base::SteadyTime at = read ? next_look() : clock_.steady() + kAgain;
    co_await clock_.sleep_until(at, bell_);
  }
}

base::Task<std::expected<PauseRule, ports::SpoolError>> PauseBook::pause(
    PauseRule::Kind kind, std::string value, std::string reason,
    std::optional<std::chrono::milliseconds> span) {
  auto rule = co_await queue_.pause(kind, std::move(value), std::move(reason), span);
  // The rule may or may not have been stored: wake keep() to read the rules again.
  if (!rule) bell_.ring();
  if (!rule) co_return rule;
  ++changes_;
  replace(*rule);
  put_in_force();
  bell_.ring();
  co_return rule;
}

base::Task<std::expected<std::optional<PauseRule>, ports::SpoolError>> PauseBook::resume(
    PauseRule::Kind kind, std::string value) {
  const auto gone = co_await queue_.resume(kind, value);
  if (!gone) bell_.ring();
  if (!gone) co_return std::unexpected(gone.error());
  ++changes_;
  auto taken = take(kind, value);
  put_in_force();
  if (!*gone) co_return std::nullopt;
  if (!taken) taken = PauseRule{.kind = kind, .value = std::move(value)};
  co_return taken;
}

void PauseBook::replace(PauseRule rule) {
  take(rule.kind, rule.value);
  rules_.insert(std::ranges::upper_bound(rules_, rule, before), std::move(rule));
}

std::optional<PauseRule> PauseBook::take(PauseRule::Kind kind, const std::string& value) {
  const auto at = std::ranges::find_if(
      rules_, [&](const PauseRule& rule) { return rule.kind == kind && rule.value == value; });
  if (at == rules_.end()) return std::nullopt;
  PauseRule taken = std::move(*at);
  rules_.erase(at);
  return taken;
}

void PauseBook::put_in_force() { delivery_.set_pauses(rules_); }

/// When the first rule ends, by the time of the store.
base::SteadyTime PauseBook::next_look() const {
  std::chrono::milliseconds wait = kLongestSleep;
  for (const PauseRule& rule : rules_) {
    if (rule.until) wait = std::min(wait, *rule.until - queue_.now());
  }
  // At least a second, in case the store returns a rule that has ended already.
  return clock_.steady() + std::max<std::chrono::milliseconds>(wait, std::chrono::seconds(1));
}

}  // namespace relay::ops
