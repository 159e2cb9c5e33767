#include "relay/delivery/lane_session.hpp"

#include <algorithm>
#include <utility>

#include "relay/base/sabotage.hpp"
#include "relay/delivery/attempt_log.hpp"
#include "relay/delivery/lane.hpp"
#include "relay/delivery/outcome_map.hpp"
#include "relay/delivery/queue_scan.hpp"
#include "relay/mail/header.hpp"

namespace relay::delivery {

namespace {

using namespace std::chrono_literals;
using ports::SpoolError;

/// For so long a fresh message is taken as it was offered; later the spool is asked again.
constexpr auto kFreshFor = 10s;
constexpr auto kRecordAgainAfter = 5s;

/// Gives claims back however the work ends, unless what happened was not recorded, be it for an
/// exception: then the claim stays, for the copies must not be sent again by this process.
class ClaimGuard {
 public:
  ClaimGuard(WorkStore& store, const Job& job) : store_(store), id_(job.id), held_(job.indices) {}

  ~ClaimGuard() {
    if (!kept_) store_.release(id_, held_);
  }

  ClaimGuard(const ClaimGuard&) = delete;
  ClaimGuard& operator=(const ClaimGuard&) = delete;

  void keep(bool kept) { kept_ = kept; }

 private:
  WorkStore& store_;
  mail::MessageId id_;
  std::vector<std::uint16_t> held_;
  bool kept_ = false;
};

}  // namespace

base::Task<> LaneSession::run() {
  for (;;) {
    auto job = co_await shop_.store.next(lane_, runner_.connected(), shop_.ports.clock.steady());
    if (!job) break;
    co_await serve(std::move(*job));
  }
  co_await runner_.close();
}

base::Task<std::shared_ptr<const mail::QueuedMessage>> LaneSession::message_of(const Job& job) {
  const bool fresh = job.queued && job.epoch == shop_.store.epoch() &&
                     shop_.ports.clock.steady() < job.offered_at + kFreshFor;
  if (fresh) co_return job.queued;
  auto loaded = co_await shop_.ports.spool.load(job.id);
  if (loaded) co_return std::make_shared<const mail::QueuedMessage>(std::move(*loaded));
  if (loaded.error() != SpoolError::NotFound) {  // gone meanwhile: done, or dropped by the operator
    log_spool_trouble(shop_.log, job.id, loaded.error(), "not attempted", shop_.ports.clock.wall());
  }
  co_return nullptr;
}

/// The copies of the job that may be tried now; a group for those that leave alike. The state
/// counts, not the claim: the operator may have held or dropped them, or a poll may have been
/// overtaken by a record.
std::vector<LaneSession::Group> LaneSession::groups_of(const mail::QueuedMessage& queued,
                                                       const Job& job, const Policy& policy) const {
  const base::WallTime now = shop_.ports.clock.wall();
  std::vector<Group> groups;
  for (std::size_t i = 0; i < queued.recipients.size(); ++i) {
    const auto& copy = queued.recipients[i];
    if (!(std::ranges::find(job.indices, copy.route.index) != job.indices.end())) continue;
    if (copy.state != mail::RecipientState::Waiting) continue;
    if (!is_due(copy.next_due, now, policy.retry)) continue;
    // A changed route has made it another lane's; the next poll finds it there.
    if (destination_of(copy.route, policy).key != lane_->key) continue;
    const auto same = std::ranges::find_if(groups, [&](const Group& group) {
      return leave_alike(queued.recipients[group.front()].route, copy.route);
    });
    if (same == groups.end()) {
      groups.push_back({i});
    } else {
      same->push_back(i);
    }
  }
  return groups;
}

base::Task<> LaneSession::serve(Job job) {
  ClaimGuard claim(shop_.store, job);
  const auto queued = co_await message_of(job);
  if (!queued) co_return;
  const auto policy = shop_.policy.get();
  ContentSource content(shop_.ports.spool, job.id, queued->message.size, job.content);
  for (Group& group : groups_of(*queued, job, *policy)) {
    auto destination = destination_of(queued->recipients[group.front()].route, *policy);
    Consignment consignment{queued, std::move(group), std::move(destination), policy};
    claim.keep(true);
    const bool recorded = co_await deliver(std::move(consignment), content);
    if (!recorded) co_return;
    claim.keep(base::sabotaged(base::Sabotage::ClaimKept));
  }
}

base::Task<AttemptReport> LaneSession::attempt(const Consignment& consignment,
                                               ContentSource& content) {
  AttemptReport report;
  const auto steady = shop_.ports.clock.steady();
  if (auto down = shop_.store.outage(lane_, steady)) {
    down->attempt.at = shop_.ports.clock.wall();
    report.outcomes.assign(consignment.copies.size(), *down);
    co_return report;
  }
  const auto opened = co_await content.open();
  if (!opened) {
    report.spool_error = opened.error();
    co_return report;
  }
  const base::Watchdog::Watch watch(shop_.watchdog, "delivery",
                                    consignment.queued->message.id.to_string(),
                                    steady + consignment.policy->timeouts.whole);
  report = co_await runner_.run(consignment, content);
  if (report.spool_error) co_return report;
  if (report.unreachable) {
    shop_.store.set_outage(lane_, report.outcomes.front(), shop_.ports.clock.steady());
  } else {
    shop_.store.clear_outage(lane_);
  }
  co_return report;
}

/// False: what happened could not be recorded, or the spool is not to be trusted any more.
base::Task<bool> LaneSession::deliver(Consignment consignment, ContentSource& content) {
  if (shop_.ports.spool.poisoned()) {
    shop_.poisoned = true;
    co_return false;
  }
  if (base::sabotaged(base::Sabotage::DoneBeforeDot)) {
    AttemptReport invented;
    invented.outcomes.assign(consignment.copies.size(),
                             local_outcome(mail::OutcomeKind::Delivered, {2, 0, 0}, "not yet"));
    co_await settle_and_record(consignment, invented, content);
  }
  const auto report = co_await attempt(consignment, content);
  if (!report.spool_error) co_return co_await settle_and_record(consignment, report, content);
  const auto& id = consignment.queued->message.id;
  const base::WallTime now = shop_.ports.clock.wall();
  if (*report.spool_error == SpoolError::Corrupt) {  // K-5: never sent, never bounced, never lost
    log_spool_trouble(shop_.log, id, *report.spool_error, "held", now);
    co_return co_await hold(consignment);
  }
  log_spool_trouble(shop_.log, id, *report.spool_error, "not sent", now);
  if (*report.spool_error == SpoolError::Poisoned) shop_.poisoned = true;
  co_return false;
}

base::Task<bool> LaneSession::settle_and_record(const Consignment& consignment,
                                                const AttemptReport& report,
                                                ContentSource& content) {
  const base::WallTime now = shop_.ports.clock.wall();
  const ClockTrust clock{base::WallTime{std::chrono::milliseconds{shop_.trusted_since.load()}},
                         base::WallTime{std::chrono::milliseconds{shop_.jumped_at.load()}}};
  Settlement settlement = settle(consignment, report.outcomes, now, clock, shop_.dice.fraction());
  std::string header;
  if (wants_dsn(settlement, consignment)) {
    const auto opened = co_await content.open();
    if (opened) {
      const std::string& front = content.front();
      header = front.substr(0, mail::header_length(front).value_or(front.size()));
    }
  }
  co_await add_bounces(settlement, consignment, std::move(header), now, shop_.signer);
  const bool bounced = !settlement.update.bounces.empty();
  if (base::sabotaged(base::Sabotage::DsnOutsideTransaction)) {
    auto bounces = std::exchange(settlement.update.bounces, {});
    co_await record(settlement.update);
    co_await shop_.ports.clock.sleep_until(shop_.ports.clock.steady() +
                                           std::chrono::milliseconds(50));
    for (auto& bounce : bounces) co_await shop_.ports.spool.commit(std::move(bounce));
    co_return true;
  }
  const bool recorded = co_await record(settlement.update);
  if (!recorded) co_return false;
  const Tally tally = tally_of(settlement);
  shop_.delivered += tally.delivered;
  shop_.bounced += tally.bounced;
  shop_.suppressed += tally.suppressed;
  log_settlement(shop_.log, consignment, report, settlement, now);
  for (const auto& copy : settlement.copies) {
    if (copy.update.state == mail::RecipientState::Waiting) shop_.expect_due(copy.update.next_due);
  }
  if (bounced) shop_.expect_due(now);
  co_return true;
}

/// Insists: as long as outcomes cannot be recorded, nobody sends anything (reliability.md §2.3).
base::Task<bool> LaneSession::record(ports::Update update) {
  bool paused = false;
  for (;;) {
    const auto recorded = co_await shop_.ports.spool.record(update);
    if (recorded || recorded.error() != SpoolError::Full) {
      if (paused) shop_.store.pause(false);
      if (recorded || recorded.error() == SpoolError::NotFound) co_return true;
      if (recorded.error() == SpoolError::Poisoned) shop_.poisoned = true;
      log_spool_trouble(shop_.log, update.id, recorded.error(), "outcome not recorded",
                        shop_.ports.clock.wall());
      co_return false;
    }
    if (!paused) {
      log_spool_trouble(shop_.log, update.id, SpoolError::Full, "deliveries paused",
                        shop_.ports.clock.wall());
    }
    paused = true;
    shop_.store.pause(true);
    co_await shop_.ports.clock.sleep_until(shop_.ports.clock.steady() + kRecordAgainAfter);
  }
}

base::Task<bool> LaneSession::hold(const Consignment& consignment) {
  ports::Update update;
  update.id = consignment.queued->message.id;
  const base::WallTime now = shop_.ports.clock.wall();
  auto outcome = local_outcome(mail::OutcomeKind::Deferred, {4, 3, 0},
                               "stored content does not match what was accepted");
  outcome.attempt.at = now;
  for (const std::size_t i : consignment.copies) {
    const auto& copy = consignment.queued->recipients[i];
    update.recipients.push_back({.index = copy.route.index,
                                 .state = mail::RecipientState::Held,
                                 .attempts = copy.attempts,
                                 .next_due = copy.next_due,
                                 .warned = copy.warned,
                                 .possible_duplicate = copy.possible_duplicate,
                                 .attempt = outcome.attempt});
  }
  co_return co_await record(std::move(update));
}

}  // namespace relay::delivery
