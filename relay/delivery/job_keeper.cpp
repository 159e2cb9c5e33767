#include <algorithm>
#include <utility>

#include "relay/delivery/attempt_log.hpp"
#include "relay/delivery/delivery_session.hpp"
#include "relay/ports/delivery_queue.hpp"

namespace relay::delivery {

namespace {

using namespace std::chrono_literals;
using ports::Recorded;
using ports::SpoolError;

constexpr auto kRecordAgainAfter = 5s;

}  // namespace

JobKeeper::JobKeeper(Workshop& shop, Assignment assignment, AttemptRunner* runner, PlacePtr place)
    : shop_(shop),
      assignment_(std::move(assignment)),
      runner_(runner),
      place_(std::move(place)),
      held_(assignment_.job.indices) {}

/// Releases the claims however the job ended, even by an exception, so that the copies are tried
/// again. Exception: the server may have taken them and no outcome is recorded; then this process
/// must not send them again.
JobKeeper::~JobKeeper() {
  if (held_.empty() || is_at_dot_) return;
  shop_.dispatcher.release(assignment_.lane, assignment_.job.id, held_, false);
}

void JobKeeper::forget(const std::vector<std::uint16_t>& indices) {
  std::erase_if(held_, [&](std::uint16_t index) {
    return std::ranges::find(indices, index) != indices.end();
  });
}

/// `indices` must not be held_ itself, which changes here. `is_recorded`: their outcome is on disk;
/// otherwise they are read from disk again.
void JobKeeper::let_go(const std::vector<std::uint16_t>& indices, bool is_recorded) {
  forget(indices);
  shop_.dispatcher.release(assignment_.lane, assignment_.job.id, indices, is_recorded);
}

/// Untried copies go back to the front of the lane, except those that were withdrawn.
void JobKeeper::give_back(std::vector<std::uint16_t> indices) {
  const mail::MessageId& id = assignment_.job.id;
  forget(indices);
  std::vector<std::uint16_t> withdrawn;
  std::erase_if(indices, [&](std::uint16_t index) {
    if (!shop_.dispatcher.is_withdrawn({id, index})) return false;
    withdrawn.push_back(index);
    return true;
  });
  shop_.dispatcher.release(assignment_.lane, id, withdrawn, true);
  shop_.dispatcher.put_back(assignment_.lane, id, std::move(indices));
}

base::Task<std::shared_ptr<const mail::QueuedMessage>> JobKeeper::message() {
  const Job& job = assignment_.job;
  if (job.queued) co_return job.queued;
  auto loaded = co_await shop_.ports.queue.load(job.id, job.indices);
  if (loaded) co_return std::make_shared<const mail::QueuedMessage>(std::move(*loaded));
  const SpoolError error = loaded.error();
  if (error == SpoolError::NotFound) {  // its copies ended, or the operator dropped it
    done_with(job.indices);
    co_return nullptr;
  }
  co_await heed_spool_error(error, "not attempted");
  co_return nullptr;
}

/// The copies of the job that may be tried now, grouped by what leaves alike. The others are
/// released: the operator holds or pauses them, or they are not due.
std::vector<JobKeeper::Positions> JobKeeper::alike(const mail::QueuedMessage& queued) {
  const base::WallTime now = shop_.ports.queue.now();
  std::vector<Positions> groups;
  std::vector<std::uint16_t> not_now;
  for (std::size_t i = 0; i < queued.recipients.size(); ++i) {
    const auto& copy = queued.recipients[i];
    if (std::ranges::find(held_, copy.route.index) == held_.end()) continue;
    const bool goes = copy.state == mail::RecipientState::Waiting && copy.next_due <= now &&
                      !(shop_.dispatcher.has_pauses() &&
                        shop_.dispatcher.is_paused(copy.route.original.to_string()));
    if (!goes) {
      not_now.push_back(copy.route.index);
      continue;
    }
    const auto same = std::ranges::find_if(groups, [&](const Positions& group) {
      return leave_alike(queued.recipients[group.front()].route, copy.route);
    });
    if (same == groups.end()) {
      groups.push_back({i});
    } else {
      same->push_back(i);
    }
  }
  // Their rows decide, which may have changed since the copies were claimed.
  if (!not_now.empty()) let_go(not_now, false);
  return groups;
}

base::Task<> JobKeeper::serve() {
  withdrawals_seen_ = shop_.dispatcher.withdrawals();
  queued_ = co_await message();
  if (!queued_) co_return;
  const auto policy = shop_.policy.get();
  ContentSource content(shop_.ports.queue, assignment_.job.id, queued_->message.size,
                        assignment_.job.content);
  for (Positions& positions : alike(*queued_)) {
    const Consignment consignment{.queued = queued_,
                                  .copies = std::move(positions),
                                  .hosts = assignment_.hosts,
                                  .policy = policy};
    const bool goes_on = co_await deliver(consignment, content);
    if (!goes_on) co_return;
  }
}

/// Asked again: a rule may have been added since the copies were claimed.
bool JobKeeper::is_paused(const std::vector<std::uint16_t>& indices) const {
  const Dispatcher& dispatcher = shop_.dispatcher;
  if (assignment_.hosts && dispatcher.is_paused(*assignment_.hosts)) return true;
  return std::ranges::any_of(queued_->recipients, [&](const mail::QueuedRecipient& copy) {
    return std::ranges::find(indices, copy.route.index) != indices.end() &&
           dispatcher.is_paused(copy.route.original.to_string());
  });
}

bool JobKeeper::may_go_on(const std::vector<std::uint16_t>& indices, bool at_dot) {
  const mail::MessageId& id = assignment_.job.id;
  if (shop_.dispatcher.has_pauses() && is_paused(indices)) return false;
  if (at_dot) {
    const bool may_leave = shop_.dispatcher.enter_dot(id, indices);
    is_at_dot_ = is_at_dot_ || may_leave;  // the outcome of an earlier transaction is owed as well
    return may_leave;
  }
  if (shop_.dispatcher.withdrawals() == withdrawals_seen_) return true;
  return std::ranges::none_of(
      indices, [&](std::uint16_t index) { return shop_.dispatcher.is_withdrawn({id, index}); });
}

base::Task<AttemptReport> JobKeeper::attempt(const Consignment& consignment,
                                             ContentSource& content) {
  AttemptReport report;
  if (assignment_.answer) {
    mail::Outcome outcome = *assignment_.answer;
    outcome.attempt.at = shop_.ports.queue.now();
    report.copies.assign(consignment.copies.size(), CopyResult{.outcome = std::move(outcome)});
    co_return report;
  }
  const auto opened = co_await content.open();
  if (!opened) {
    report.copies.resize(consignment.copies.size());
    report.spool_error = opened.error();
    co_return report;
  }
  const auto steady = shop_.ports.clock.steady();
  const base::Watchdog::Watch watch(shop_.watchdog, "delivery", assignment_.job.id.to_string(),
                                    busy_until(consignment, steady));
  const Gate gate = [this](const std::vector<std::uint16_t>& indices, bool at_dot) {
    return may_go_on(indices, at_dot);
  };
  report = co_await runner_->run(consignment, content, gate);
  shop_.dispatcher.hear(place_, assignment_, report.feedback, shop_.ports.clock.steady());
  co_return report;
}

/// False: do not try the rest of the job now.
base::Task<bool> JobKeeper::deliver(const Consignment& consignment, ContentSource& content) {
  if (shop_.ports.queue.poisoned()) {
    shop_.poisoned = true;
    co_return false;
  }
  AttemptReport report = co_await attempt(consignment, content);
  // Record the known outcomes first; then act on the error of the queue.
  const bool recorded = co_await record(consignment, report);
  if (!recorded) co_return false;
  if (report.spool_error) {
    co_await heed_spool_error(*report.spool_error, "not sent");
    co_return false;
  }
  std::vector<std::uint16_t> not_tried;
  for (std::size_t i = 0; i < report.copies.size(); ++i) {
    if (report.copies[i].outcome) continue;
    not_tried.push_back(consignment.queued->recipients[consignment.copies[i]].route.index);
  }
  if (not_tried.empty()) co_return true;
  give_back(std::move(not_tried));
  co_return !report.feedback.is_full;
}

/// The message cannot be read. A damaged one is held: never sent, bounced or lost.
base::Task<> JobKeeper::heed_spool_error(SpoolError error, std::string_view consequence) {
  const mail::MessageId& id = assignment_.job.id;
  const bool is_damaged = error == SpoolError::Corrupt;
  log_spool_trouble(shop_.log, id, error, is_damaged ? "held" : consequence,
                    shop_.ports.queue.now());
  if (error == SpoolError::Poisoned) shop_.poisoned = true;
  if (!is_damaged) co_return;
  const auto held = co_await shop_.ports.queue.hold_damaged(id);
  if (held) done_with(std::exchange(held_, {}));
}

/// False: the outcome could not be recorded, or the queue has failed.
base::Task<bool> JobKeeper::record(const Consignment& consignment, const AttemptReport& report) {
  const auto [now, trust] = shop_.wall.read();
  const Settlement settlement =
      settle(consignment, report.copies, now, trust, shop_.dice.fraction());
  if (settlement.copies.empty()) co_return true;
  const auto answer = co_await insist(settlement.update);
  if (!answer) co_return answer.error() == SpoolError::NotFound;
  log_settlement(shop_.log, consignment, report, settlement, *answer, now);
  if (report.feedback.trouble_here) shop_.metrics.local_troubles.add();
  for (const CopyResult& copy : report.copies) {
    if (!copy.faults.empty()) shop_.metrics.protocol_errors.add();
  }
  after_record(settlement, *answer);
  tell_of_takers(consignment, settlement, shop_.on_taken);
  co_return true;
}

void JobKeeper::expect_again(const ports::CopyUpdate& update) {
  shop_.expect_due(update.retry_after);
  // Only a 4xx reply counts as put off; other failures wait their turn.
  if (assignment_.answer || update.attempts.back().code / 100 != 4) return;
  shop_.dispatcher.put_off(assignment_.lane, {assignment_.job.id, update.index},
                           shop_.ports.clock.steady() + update.retry_after);
}

void JobKeeper::after_record(const Settlement& settlement, const ports::RecordAnswer& answer) {
  std::vector<std::uint16_t> recorded;
  std::vector<std::uint16_t> outdated;  // their rows decide
  const std::set<std::uint16_t> replaced = heed_fallbacks(answer);
  bool owes_report = false;
  for (std::size_t i = 0; i < settlement.copies.size(); ++i) {
    const SettledCopy& copy = settlement.copies[i];
    const Recorded how = answer.copies[i];
    if (how == Recorded::TooLate || how == Recorded::StaysDue) {
      outdated.push_back(copy.update.index);
      shop_.expect_due(std::chrono::milliseconds(0));
    } else {
      recorded.push_back(copy.update.index);
    }
    if (how == Recorded::TooLate) continue;
    const bool counts = ports::counts(how);
    owes_report = owes_report || copy.update.notify != ports::Notify::Nobody;
    if (copy.update.state == mail::RecipientState::Waiting) {
      shop_.metrics.deferred.add();
      if (counts && !replaced.contains(copy.update.index)) expect_again(copy.update);
    } else if (copy.update.state == mail::RecipientState::Delivered) {
      shop_.metrics.copies.at(CopyEnd::Delivered).add();
    } else if (counts) {
      shop_.metrics.copies.at(copy.silence.empty() ? CopyEnd::Bounced : CopyEnd::Suppressed).add();
    }
  }
  is_at_dot_ = false;
  done_with(recorded);
  if (!outdated.empty()) let_go(outdated, false);
  if (owes_report || answer.message_ended) shop_.reports_wanted();
}

/// While outcomes cannot be recorded nothing may be sent, for it would be sent again.
base::Task<std::expected<ports::RecordAnswer, SpoolError>> JobKeeper::insist(ports::Update update) {
  bool paused = false;
  for (;;) {
    auto recorded = co_await shop_.ports.queue.record(update);
    const bool again = !recorded && (recorded.error() == SpoolError::Full ||
                                     recorded.error() == SpoolError::Unavailable ||
                                     recorded.error() == SpoolError::Unknown);
    if (!again) {
      if (paused) shop_.dispatcher.pause(false);
      if (recorded) co_return recorded;
      if (recorded.error() == SpoolError::NotFound) {  // dropped meanwhile
        std::vector<std::uint16_t> gone;
        for (const auto& copy : update.copies) gone.push_back(copy.index);
        is_at_dot_ = false;
        done_with(gone);
        co_return recorded;
      }
      if (recorded.error() == SpoolError::Poisoned) shop_.poisoned = true;
      log_spool_trouble(shop_.log, update.id, recorded.error(), "outcome not recorded",
                        shop_.ports.queue.now());
      co_return recorded;
    }
    if (!paused) {
      log_spool_trouble(shop_.log, update.id, recorded.error(), "deliveries paused",
                        shop_.ports.queue.now());
    }
    paused = true;
    shop_.dispatcher.pause(true);
    co_await shop_.ports.clock.sleep_until(shop_.ports.clock.steady() + kRecordAgainAfter);
  }
}

}  // namespace relay::delivery
