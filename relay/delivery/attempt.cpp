#include "relay/delivery/attempt.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "relay/delivery/outcome_map.hpp"

namespace relay::delivery {

namespace {

using mail::OutcomeKind;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using Failure = FailingHosts::Failure;

/// The host takes no mail of anybody: it says so, or it is this relay.
bool never_takes_mail(const smtp::Verdict& failure) {
  return failure.refuses_service() || failure.status == mail::EnhancedStatus{5, 4, 6};
}

const std::string& domain_of(const Consignment& consignment) {
  return consignment.queued->recipients[consignment.copies.front()].route.target.domain().folded();
}

}  // namespace

base::SteadyTime busy_until(const Consignment& consignment, base::SteadyTime now) {
  const Timeouts& limits = consignment.policy->timeouts;
  const auto copies = static_cast<std::int64_t>(consignment.copies.size());
  const auto chunks =
      static_cast<std::int64_t>(consignment.queued->message.size / ports::kChunkOctets + 2);
  return now + limits.whole + limits.connect + 4 * limits.greeting + limits.mail +
         limits.rcpt * copies + limits.data + limits.block * chunks + limits.end_of_data;
}

AttemptRunner::~AttemptRunner() { forget_session(); }

void AttemptRunner::forget_session() {
  if (session_) --place_.group->connected;
  session_.reset();
  sent_ = 0;
  untaken_ = 0;
}

base::Task<> AttemptRunner::close() {
  if (session_) co_await session_->quit();
  forget_session();
}

std::optional<Candidate> AttemptRunner::connected_to() const {
  if (!session_ || !session_->reusable()) return std::nullopt;
  return session_->remote();
}

std::size_t AttemptRunner::most_messages(const Consignment& consignment) const {
  const std::size_t theirs =
      tighter(place_.group->most_messages.load(), value_of(session_->offered().mail_max));
  return tighter(consignment.policy->messages_per_connection, theirs);
}

bool AttemptRunner::fits(const Consignment& consignment) const {
  if (!session_ || !session_->reusable() || session_->policy() != consignment.policy) return false;
  const bool for_one_domain = session_->offered().rcpt_domain_max.has_value();
  return sent_ < most_messages(consignment) &&
         (!for_one_domain || domain_of(consignment) == domain_) &&
         failing_.is_best(session_->remote(), *consignment.hosts, ports_.clock.steady());
}

bool AttemptRunner::may_begin(const Progress& progress) const {
  return ports_.clock.steady() < progress.ends_at && !place_.cut.made();
}

/// Whether the host of this address was asked in this attempt, at this address or another.
bool AttemptRunner::was_asked(const Progress& progress, std::size_t at) {
  const auto& all = progress.consignment.hosts->hosts;
  return std::ranges::any_of(progress.asked,
                             [&](std::size_t other) { return same_host(all[other], all[at]); });
}

void AttemptRunner::count_asked(Progress& progress, std::size_t at) {
  if (!was_asked(progress, at)) ++progress.hosts_asked;
  progress.asked.push_back(at);
}

/// Whether another address may be dialled in this attempt.
bool AttemptRunner::has_next(const Progress& progress) {
  const Policy& policy = *progress.consignment.policy;
  if (progress.next >= progress.order.size()) return false;
  if (progress.asked.size() >= policy.addresses_per_attempt) return false;
  return progress.hosts_asked < policy.hosts_per_attempt ||
         was_asked(progress, progress.order[progress.next]);
}

void AttemptRunner::note(Progress& progress, std::size_t copy, const smtp::Verdict& verdict) const {
  CopyResult& result = progress.report.copies[copy];
  mail::Outcome outcome =
      outcome_of(verdict, session_->remote(), session_->tls_version(), session_->tls_result());
  outcome.attempt.at = at_;
  if (verdict.protocol_error) result.faults.push_back(outcome.attempt);
  if (result.outcome) result.before.push_back(std::move(result.outcome->attempt));
  result.outcome = std::move(outcome);
}

/// Tries the hosts in order until one is ready for a transaction. False: the attempt is over.
base::Task<bool> AttemptRunner::connect(Progress& progress) {
  const Consignment& consignment = progress.consignment;
  AttemptReport& report = progress.report;
  const auto before = ports_.clock.steady();
  bool goes_on = true;
  while (goes_on) {
    const bool again = std::exchange(progress.stays_here, false) && progress.here;
    // The first host is asked however long other copies took; a session that was cut off asks none.
    const bool may_dial = progress.here ? may_begin(progress) : !place_.cut.made();
    if (!may_dial || (!again && !has_next(progress))) {
      give_up(progress);
      break;
    }
    if (!again) progress.here = progress.order[progress.next++];
    const Candidate& host = consignment.hosts->hosts[*progress.here];
    session_.emplace(ports_.dialer, ports_.clock, consignment.policy, place_);
    ++place_.group->connected;
    const auto failure = co_await session_->open(host);
    // A host is not asked where this one has no means to reach it.
    if (!again && !session_->trouble_here()) count_asked(progress, *progress.here);
    if (!failure) {
      progress.reached = true;
      progress.only_final = false;
      report.connecting += duration_cast<milliseconds>(ports_.clock.steady() - before);
      co_return true;
    }
    goes_on = heed_failure(progress, host, *failure);
    forget_session();
  }
  report.connecting += duration_cast<milliseconds>(ports_.clock.steady() - before);
  co_return false;
}

/// Notes why a host could not be used. False: the attempt is over.
bool AttemptRunner::heed_failure(Progress& progress, const Candidate& host,
                                 const smtp::Verdict& failure) {
  Feedback& feedback = progress.report.feedback;
  feedback.timed_out = feedback.timed_out || session_->timed_out();
  failing_.asked(host, ports_.clock.steady());  // even if this host had no means to reach it
  const bool is_early = failure.stage <= mail::Stage::Banner;
  if (failure.code == 421 && is_early && place_.group->connected > 1) {
    // The group has open sessions, so its server is full. This says nothing about the message.
    feedback.is_full = true;
    return false;
  }
  progress.only_final = progress.only_final && never_takes_mail(failure);
  smtp::Verdict put_off = failure;
  put_off.kind = OutcomeKind::Deferred;
  for (const std::size_t copy : progress.left) note(progress, copy, put_off);
  if (failure.throttles()) {
    feedback.throttled = true;
    if (place_.group->throttled_in_row < Group::kPatience) {
      // It is in no trouble: it wants a slower pace, and asking others first would evade that.
      feedback.slow_down = progress.report.copies[progress.left.front()].outcome;
      failing_.throttled(host, *progress.consignment.hosts, ports_.clock.steady());
      return false;
    }
  }
  if (const auto trouble = session_->trouble_here()) {
    feedback.trouble_here = trouble;
  } else {
    failing_.failed(host, Failure::Session, ports_.clock.steady());
  }
  return true;
}

/// No further host will be tried: the last outcome of each copy stands.
void AttemptRunner::give_up(Progress& progress) {
  const bool all_asked = progress.next >= progress.order.size();
  const bool is_final = all_asked && progress.only_final && !progress.asked.empty();
  for (const std::size_t copy : progress.left) {
    auto& outcome = progress.report.copies[copy].outcome;
    if (!outcome) continue;
    if (is_final) outcome->kind = OutcomeKind::Failed;
    // A permanent refusal by some hosts becomes temporary: a host not tried yet may accept.
    if (!all_asked && outcome->kind == OutcomeKind::Failed) outcome->kind = OutcomeKind::Deferred;
  }
  if (progress.reached || is_final || progress.left.empty()) return;
  if (progress.report.feedback.trouble_here) return;  // our own trouble may be the only reason
  const auto& last = progress.report.copies[progress.left.front()].outcome;
  if (last && last->kind == OutcomeKind::Deferred && !place_.cut.made()) {
    progress.report.feedback.unreachable = last;
  }
}

base::Task<AttemptReport> AttemptRunner::run(Consignment consignment, ContentSource& content,
                                             Gate gate) {
  AttemptReport report;
  report.copies.resize(consignment.copies.size());
  const mail::QueuedMessage& queued = *consignment.queued;
  const mail::Route& first = queued.recipients[consignment.copies.front()].route;
  const auto head = head_of(queued.message, first, content);
  if (!head) {
    report.spool_error = head.error();
    co_return report;
  }
  const auto started = ports_.clock.steady();
  at_ = ports_.queue.now();
  Progress progress{.consignment = consignment,
                    .head = *head,
                    .content = content,
                    .gate = gate,
                    .report = report,
                    .order = failing_.order_of(*consignment.hosts, started),
                    .ends_at = started + consignment.policy->timeouts.whole};
  progress.left.resize(consignment.copies.size());
  std::iota(progress.left.begin(), progress.left.end(), 0U);
  if (!fits(consignment)) co_await close();
  if (session_) adopt(progress);
  domain_ = domain_of(consignment);
  bool goes_on = true;
  while (goes_on) {
    if (progress.left.empty()) {
      if (progress.moved.empty()) break;
      // The current host has answered for these copies: go on with the next host.
      co_await close();
      progress.left = std::exchange(progress.moved, {});
      progress.stays_here = false;
    }
    if (!session_) {
      goes_on = co_await connect(progress);
    } else {
      goes_on = co_await transact(progress);
    }
  }
  if (!progress.moved.empty()) {
    progress.left = std::exchange(progress.moved, {});
    give_up(progress);
  }
  report.sending = duration_cast<milliseconds>(ports_.clock.steady() - started) - report.connecting;
  co_return report;
}

/// Starts the attempt on the connection that is already open.
void AttemptRunner::adopt(Progress& progress) const {
  const auto& hosts = progress.consignment.hosts->hosts;
  const auto at = std::ranges::find(hosts, session_->remote());
  progress.here = static_cast<std::size_t>(at - hosts.begin());
  std::erase(progress.order, *progress.here);
  count_asked(progress, *progress.here);
  progress.reached = true;
  progress.only_final = false;
}

}  // namespace relay::delivery
