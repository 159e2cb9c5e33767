#include "relay/delivery/group.hpp"

#include <algorithm>
#include <utility>

namespace relay::delivery {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongestOutage{600'000};
constexpr unsigned kTransactionsToGrow = 20;
constexpr unsigned kMostTransactionsToGrow = 2'560;
constexpr std::chrono::hours kRemembered{24};  // after the last use
constexpr std::size_t kMaxOutages = 1000;      // host lists of one provider

bool states_limits(const Feedback& feedback) {
  const Learnt& stated = feedback.stated;
  return feedback.is_full || stated.recipients + stated.messages + stated.connections > 0;
}

}  // namespace

Group::Group(const HostList& list, bool of_risk_pool)
    : key(list.group),
      risk_pool(of_risk_pool),
      is_provider(list.provider.has_value()),
      taken_to_grow_(kTransactionsToGrow) {}

std::size_t tighter(std::size_t a, std::size_t b) {
  if (b == 0) return a;
  return a == 0 ? b : std::min(a, b);
}

std::size_t Group::window_at(base::SteadyTime now, std::size_t most) const {
  if (!is_proven(now) || needs_full_time) return 1;
  return tighter(std::min(window_, most), learnt.connections);
}

const Answer* Group::outage_of(const std::string& list_key, base::SteadyTime now) const {
  const auto found = outages_.find(list_key);
  const bool lasts = found != outages_.end() && now < found->second.answer.until;
  return lasts ? &found->second.answer : nullptr;
}

/// A limit stays until the server has taken taken_to_grow_ transactions; then each limit grows by
/// one. If the server objects, the next growth takes twice as many transactions, so that probing a
/// fixed limit costs less and less.
void Group::grow_limits() {
  if (++taken_since_limit_ < taken_to_grow_) return;
  taken_since_limit_ = 0;
  if (has_grown_) taken_to_grow_ = kTransactionsToGrow;
  has_grown_ = learnt.recipients + learnt.messages + learnt.connections > 0;
  for (std::size_t* limit : {&learnt.recipients, &learnt.messages, &learnt.connections}) {
    if (*limit > 0) ++*limit;
  }
  tell_limits();
}

void Group::tell_limits() {
  most_recipients.store(learnt.recipients, std::memory_order_relaxed);
  most_messages.store(learnt.messages, std::memory_order_relaxed);
}

void Group::learn(const Feedback& feedback, std::size_t living, base::SteadyTime now) {
  const Learnt& stated = feedback.stated;
  if (states_limits(feedback)) {
    taken_since_limit_ = 0;
    if (std::exchange(has_grown_, false)) {
      taken_to_grow_ = std::min(2 * taken_to_grow_, kMostTransactionsToGrow);
    }
  }
  learnt.recipients = tighter(learnt.recipients, stated.recipients);
  learnt.messages = tighter(learnt.messages, stated.messages);
  if (feedback.is_full) learnt.connections = std::max<std::size_t>(living, 1);
  tell_limits();
  used_at = now;
}

/// Nothing is tried for a while: copies get `why` as their outcome.
void Group::rest(const mail::Outcome& why, const std::string& list_key, milliseconds first_outage,
                 base::SteadyTime now) {
  Outage& outage = outages_[list_key];
  if (outage.answer.until > now) return;  // another session has reported this already
  const auto span = std::min(first_outage * (1U << std::min(outage.failures, 5U)), kLongestOutage);
  ++outage.failures;
  outage.answer = {.outcome = why, .until = now + span};
  if (outages_.size() > kMaxOutages) outages_.erase(outages_.begin());
}

void Group::hear(const Feedback& feedback, const std::string& list_key, std::size_t living,
                 std::size_t most, milliseconds first_outage, base::SteadyTime now) {
  learn(feedback, living, now);
  has_timeouts = feedback.timed_out && !feedback.took;
  if (feedback.took) {
    throttled_in_row = 0;
  } else if (feedback.throttled) {
    ++throttled_in_row;
  }
  if (feedback.unreachable) {
    if (!is_provider) window_ = 1;
    return rest(*feedback.unreachable, list_key, first_outage, now);
  }
  if (feedback.slow_down && !feedback.took) {
    window_ = std::max<std::size_t>(window_ / 2, 1);
    return rest(*feedback.slow_down, list_key, first_outage, now);
  }
  if (feedback.trouble_here && !feedback.took) return;  // our trouble says nothing about them
  outages_.erase(list_key);
  const bool was_proven = is_proven(now);
  if (feedback.took) {  // by one host, whatever another has said in the same attempt
    proven_until = now + kProvenFor;
    needs_full_time = false;
  }
  if (feedback.is_full) return;
  if (feedback.throttled) {
    window_ = std::max<std::size_t>(window_ / 2, 1);
  } else if (feedback.took) {
    window_ = was_proven ? std::min(window_ + 1, std::max<std::size_t>(most, 1)) : kFirstWindow;
    if (!states_limits(feedback)) grow_limits();
  }
}

bool Group::is_worth_keeping(base::SteadyTime now) const {
  const bool learnt_something =
      learnt.recipients + learnt.messages + learnt.connections > 0 || needs_full_time;
  if (is_proven(now) || (learnt_something && now < used_at + kRemembered)) return true;
  // Keep the count of failures for a while after the outage, so that the back-off can grow.
  return std::ranges::any_of(outages_, [&](const auto& entry) {
    return now < entry.second.answer.until + kLongestOutage;
  });
}

}  // namespace relay::delivery
