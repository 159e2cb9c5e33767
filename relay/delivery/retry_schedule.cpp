#include "relay/delivery/retry_schedule.hpp"

#include <algorithm>

namespace relay::delivery {

using std::chrono::milliseconds;

namespace {

/// Since when the copy has waited, by a clock that can be trusted.
base::WallTime waiting_since(const RetryCase& given) {
  const bool jumped = given.clock.jumped_at != base::WallTime{};
  if (given.arrived_at > given.now) return jumped ? given.clock.jumped_at : given.clock.since;
  return jumped ? std::max(given.arrived_at, given.clock.jumped_at) : given.arrived_at;
}

}  // namespace

RetryDecision decide_retry(const RetryCase& given, const mail::RetryPolicy& policy, double chance) {
  RetryDecision decision;
  const auto age = given.now - waiting_since(given);
  const bool age_counts =
      given.previous_at != base::WallTime{} && given.previous_at >= given.clock.since;
  decision.expired = age_counts && age >= policy.expire;
  decision.late =
      age_counts && !decision.expired && policy.warn_after.count() > 0 && age >= policy.warn_after;
  decision.warn = decision.late && !given.warned;

  // Over its time but not to be given up yet: the next attempt, which decides, comes soon.
  const bool overdue = !decision.expired && age >= policy.expire;
  const std::size_t step = overdue || given.attempts == 0 ? 0 : given.attempts - 1;
  const milliseconds wait = policy.schedule[std::min(step, policy.schedule.size() - 1)];
  const auto spread = 0.8 + 0.4 * chance;
  decision.next_due =
      given.now +
      milliseconds(static_cast<std::int64_t>(static_cast<double>(wait.count()) * spread));
  return decision;
}

milliseconds longest_wait(const mail::RetryPolicy& policy) {
  const milliseconds longest = *std::ranges::max_element(policy.schedule);
  return longest + longest / 4;
}

}  // namespace relay::delivery
