#include "relay/delivery/settlement.hpp"

#include <algorithm>

namespace relay::delivery {

namespace {

using mail::DsnKind;
using mail::OutcomeKind;
using mail::RecipientState;

const mail::QueuedRecipient& copy_of(const Consignment& consignment, std::size_t i) {
  return consignment.queued->recipients[consignment.copies[i]];
}

/// Why the sender is told nothing; "": it may be.
std::string_view silence_towards(const mail::AcceptedMessage& message, const Policy& policy) {
  if (message.reverse_path.is_null()) return "null sender";
  const bool vouched = message.sender_authenticated || policy.bounce_to == BounceTo::Anyone;
  return vouched ? "" : "sender not authenticated";
}

/// A copy that was held has all its time from its release on.
base::WallTime waiting_since(const mail::AcceptedMessage& message,
                             const mail::QueuedRecipient& copy) {
  return std::max(message.received_at, copy.released_at);
}

SettledCopy settle_copy(const mail::QueuedRecipient& copy, const mail::Outcome& outcome,
                        const RetryCase& base_case, const Consignment& consignment, double chance) {
  SettledCopy settled;
  settled.kind = outcome.kind;
  auto& update = settled.update;
  update.index = copy.route.index;
  update.attempts = copy.attempts + 1;
  update.warned = copy.warned;
  update.possible_duplicate = copy.possible_duplicate || outcome.possible_duplicate;
  update.attempt = outcome.attempt;
  update.next_due = base_case.now;
  if (outcome.kind == OutcomeKind::Delivered) {
    update.state = RecipientState::Delivered;
  } else if (outcome.kind == OutcomeKind::Failed) {
    update.state = RecipientState::Failed;
  } else {
    RetryCase given = base_case;
    given.arrived_at = waiting_since(consignment.queued->message, copy);
    given.attempts = update.attempts;
    given.previous_at = copy.last.at;
    given.warned = copy.warned;
    const auto decision = decide_retry(given, consignment.policy->retry, chance);
    settled.expired = decision.expired;
    settled.warn = decision.warn;
    update.warned = copy.warned || decision.warn;
    update.state = decision.expired ? RecipientState::Failed : RecipientState::Waiting;
    if (decision.expired) settled.kind = OutcomeKind::Failed;
    if (!decision.expired) update.next_due = decision.next_due;
  }
  return settled;
}

std::vector<mail::DsnRecipient> recipients_of(const Settlement& settlement,
                                              const Consignment& consignment, DsnKind kind) {
  std::vector<mail::DsnRecipient> chosen;
  for (std::size_t i = 0; i < settlement.copies.size(); ++i) {
    const SettledCopy& settled = settlement.copies[i];
    const bool wanted =
        kind == DsnKind::Failed ? settled.kind == OutcomeKind::Failed : settled.warn;
    if (!wanted) continue;
    const auto& route = copy_of(consignment, i).route;
    chosen.push_back({route.original, route.target, settled.update.attempt, settled.expired});
  }
  return chosen;
}

/// Until when all that are warned of are tried, at least.
base::WallTime retry_until(const Settlement& settlement, const Consignment& consignment) {
  base::WallTime since = base::WallTime::max();
  for (std::size_t i = 0; i < settlement.copies.size(); ++i) {
    if (!settlement.copies[i].warn) continue;
    since = std::min(since, waiting_since(consignment.queued->message, copy_of(consignment, i)));
  }
  return since + consignment.policy->retry.expire;
}

}  // namespace

Settlement settle(const Consignment& consignment, const std::vector<mail::Outcome>& outcomes,
                  base::WallTime now, const ClockTrust& clock, double chance) {
  const auto& message = consignment.queued->message;
  Settlement settlement;
  settlement.update.id = message.id;
  RetryCase base_case;
  base_case.now = now;
  base_case.clock = clock;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    settlement.copies.push_back(
        settle_copy(copy_of(consignment, i), outcomes[i], base_case, consignment, chance));
    settlement.update.recipients.push_back(settlement.copies.back().update);
  }
  return settlement;
}

Tally tally_of(const Settlement& settlement) {
  Tally tally;
  for (const SettledCopy& copy : settlement.copies) {
    tally.delivered += copy.update.state == RecipientState::Delivered ? 1 : 0;
  }
  for (const DsnNote& note : settlement.notes) {
    if (note.kind != DsnKind::Failed) continue;
    (note.reason.empty() ? tally.bounced : tally.suppressed) += note.recipients;
  }
  return tally;
}

bool wants_dsn(const Settlement& settlement, const Consignment& consignment) {
  return silence_towards(consignment.queued->message, *consignment.policy).empty() &&
         std::ranges::any_of(settlement.copies, [](const SettledCopy& copy) {
           return copy.kind == OutcomeKind::Failed || copy.warn;
         });
}

base::Task<> add_bounces(Settlement& settlement, const Consignment& consignment,
                         std::string header_block, base::WallTime now, ports::Signer* signer) {
  const auto& message = consignment.queued->message;
  const std::string_view silence = silence_towards(message, *consignment.policy);
  for (const DsnKind kind : {DsnKind::Failed, DsnKind::Delayed}) {
    auto recipients = recipients_of(settlement, consignment, kind);
    if (recipients.empty()) continue;
    DsnNote note{.kind = kind, .id = {}, .reason = {}, .recipients = recipients.size()};
    if (!silence.empty()) {
      note.reason = silence;
    } else if (kind == DsnKind::Delayed && is_automatic(header_block)) {
      note.reason = "automatic mail";
    } else {
      BounceOrder order{.kind = kind,
                        .original = message,
                        .recipients = std::move(recipients),
                        .retry_until = std::nullopt,
                        .header_block = header_block,
                        .now = now};
      if (kind == DsnKind::Delayed) {
        order.retry_until = retry_until(settlement, consignment);
      }
      auto bounce = co_await make_bounce(std::move(order), consignment.policy, signer);
      note.id = bounce.message.id;
      settlement.update.bounces.push_back(std::move(bounce));
    }
    settlement.notes.push_back(std::move(note));
  }
}

}  // namespace relay::delivery
