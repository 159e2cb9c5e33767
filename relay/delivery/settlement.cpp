#include "relay/delivery/settlement.hpp"

#include <algorithm>

#include "relay/delivery/report_writer.hpp"

namespace relay::delivery {

namespace {

using mail::End;
using mail::OutcomeKind;
using mail::RecipientState;
using ports::Notify;

/// A copy that was held has all its time from its release on, even if the clock was set back in
/// between.
base::WallTime waiting_since(const mail::QueuedMessage& queued, const mail::QueuedRecipient& copy) {
  return copy.released_at == base::WallTime{} ? queued.received_at : copy.released_at;
}

/// Schedules the next attempt of a deferred copy, or ends it.
void put_off(SettledCopy& settled, const mail::QueuedRecipient& copy, RetryCase given,
             const Consignment& consignment, double chance) {
  auto& update = settled.update;
  given.arrived_at = waiting_since(*consignment.queued, copy);
  given.attempts = update.attempts_before + 1;
  given.previous_at = copy.last.at;
  given.warned = copy.warned;
  const auto decision = decide_retry(given, consignment.policy->retry, chance);
  if (decision.expired) {
    settled.kind = OutcomeKind::Failed;
    update.state = RecipientState::Failed;
    update.end = End::Expired;
    return;
  }
  settled.warn = decision.warn;
  update.overdue = decision.late;
  update.warned = copy.warned || decision.warn;
  update.state = RecipientState::Waiting;
  update.retry_after = decision.next_due - given.now;
}

SettledCopy settle_copy(const mail::QueuedRecipient& copy, const CopyResult& result,
                        const RetryCase& base_case, const Consignment& consignment, double chance) {
  const mail::Outcome& outcome = *result.outcome;
  SettledCopy settled;
  settled.kind = outcome.kind;
  auto& update = settled.update;
  update.index = copy.route.index;
  update.attempts_before = copy.attempts;
  update.changes_before = copy.changes;
  update.warned = copy.warned;
  update.possible_duplicate = copy.possible_duplicate || outcome.possible_duplicate;
  update.attempts = result.before;
  update.attempts.push_back(outcome.attempt);
  if (outcome.kind == OutcomeKind::Delivered) {
    update.state = RecipientState::Delivered;
    update.end = End::Delivered;
  } else if (outcome.kind == OutcomeKind::Failed) {
    update.state = RecipientState::Failed;
    update.end = End::Refused;
  } else {
    put_off(settled, copy, base_case, consignment, chance);
  }
  const std::string_view silence =
      silence_towards(consignment.queued->message, *consignment.policy);
  if (update.state == RecipientState::Failed) {
    settled.silence = silence;
    update.notify = silence.empty() ? Notify::OfFailure : Notify::Nobody;
  } else if (settled.warn && silence.empty()) {
    update.notify = Notify::OfDelay;
  }
  return settled;
}

}  // namespace

Settlement settle(const Consignment& consignment, const std::vector<CopyResult>& results,
                  base::WallTime now, const ClockTrust& clock, double chance) {
  Settlement settlement;
  settlement.update.id = consignment.queued->message.id;
  RetryCase base_case;
  base_case.now = now;
  base_case.clock = clock;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i].outcome) continue;
    const auto& copy = consignment.queued->recipients[consignment.copies[i]];
    settlement.copies.push_back(settle_copy(copy, results[i], base_case, consignment, chance));
    settlement.copies.back().at = i;
    settlement.update.copies.push_back(settlement.copies.back().update);
  }
  return settlement;
}

void tell_of_takers(const Consignment& consignment, const Settlement& settlement,
                    const OnTaken& on_taken) {
  if (!on_taken) return;
  for (const SettledCopy& copy : settlement.copies) {
    const auto& route = consignment.queued->recipients[consignment.copies[copy.at]].route;
    // Copies with the null sender are bounces going back: their sender is not verified.
    if (copy.kind == OutcomeKind::Delivered && !route.reverse_path.is_null()) {
      on_taken(copy.update.attempts.back().address);
    }
  }
}

}  // namespace relay::delivery
