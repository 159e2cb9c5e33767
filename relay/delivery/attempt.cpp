#include "relay/delivery/attempt.hpp"

#include <algorithm>
#include <utility>

#include "relay/delivery/outcome_map.hpp"
#include "relay/ports/content_chunk.hpp"
#include "relay/ports/delivery_queue.hpp"

namespace relay::delivery {

namespace {

using mail::OutcomeKind;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using Failure = FailingHosts::Failure;

/// The host takes no mail at all: it says so, or it is this relay.
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
  const mail::OutboundLimits& outbound = consignment.policy->outbound;
  return now + outbound.attempt_timeout + outbound.connect_timeout + 4 * limits.greeting +
         limits.mail + limits.rcpt * copies + limits.data + limits.block * chunks +
         limits.end_of_data;
}

AttemptRunner::~AttemptRunner() { forget_session(); }

void AttemptRunner::forget_session() {
  if (session_) --place_.group->connected;
  session_.reset();
  sent_ = untaken_ = 0;
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

bool AttemptRunner::may_begin(const AttemptCourse& course) const {
  return ports_.clock.steady() < course.ends_at && !place_.cut.made();
}

void AttemptRunner::note(AttemptCourse& course, std::size_t copy,
                         const smtp::Verdict& verdict) const {
  mail::Outcome outcome =
      outcome_of(verdict, session_->remote(), session_->tls_version(), session_->tls_result());
  outcome.attempt.at = at_;
  course.note(copy, std::move(outcome), verdict.protocol_error);
}

/// Tries the hosts in order until one is ready for a transaction. False: the attempt is over.
base::Task<bool> AttemptRunner::connect(AttemptCourse& course) {
  const Consignment& consignment = course.consignment;
  AttemptReport& report = course.report;
  const auto before = ports_.clock.steady();
  bool goes_on = true;
  while (goes_on) {
    const bool again = std::exchange(course.stays_here, false) && course.here;
    // The first host is tried even if other copies have used up the time; a session that was cut
    // off tries none.
    const bool may_dial = course.here ? may_begin(course) : !place_.cut.made();
    if (!may_dial || (!again && !course.has_next())) {
      course.give_up(place_.cut.made());
      break;
    }
    const Candidate& host = again ? consignment.hosts->hosts[*course.here] : course.next_host();
    session_.emplace(ports_.dialer, ports_.clock, consignment.policy, place_);
    ++place_.group->connected;
    const auto failure = co_await session_->open(host);
    // This host has no means to reach it, so it is not tried.
    if (!again && !session_->trouble_here()) course.count_asked(*course.here);
    if (!failure) {
      course.reached = true;
      course.only_final = false;
      report.connecting += duration_cast<milliseconds>(ports_.clock.steady() - before);
      co_return true;
    }
    goes_on = heed_failure(course, host, *failure);
    forget_session();
  }
  report.connecting += duration_cast<milliseconds>(ports_.clock.steady() - before);
  co_return false;
}

/// Notes why a host could not be used. False: the attempt is over.
bool AttemptRunner::heed_failure(AttemptCourse& course, const Candidate& host,
                                 const smtp::Verdict& failure) {
  Feedback& feedback = course.report.feedback;
  feedback.timed_out = feedback.timed_out || session_->timed_out();
  failing_.asked(host, ports_.clock.steady());  // even if this host had no means to reach it
  const bool is_early = failure.stage <= mail::Stage::Banner;
  if (failure.code == 421 && is_early && place_.group->connected > 1) {
    // The group has open sessions, so its server is full. This says nothing about the message.
    feedback.is_full = true;
    return false;
  }
  course.only_final = course.only_final && never_takes_mail(failure);
  smtp::Verdict put_off = failure;
  put_off.kind = OutcomeKind::Deferred;
  for (const std::size_t copy : course.left) note(course, copy, put_off);
  if (failure.throttles()) {
    feedback.throttled = true;
    if (place_.group->throttled_in_row < Group::kPatience) {
      // The host wants a slower pace and is in no trouble; trying other hosts first would evade
      // that.
      feedback.slow_down = course.report.copies[course.left.front()].outcome;
      failing_.throttled(host, *course.consignment.hosts, ports_.clock.steady());
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
  AttemptCourse course(consignment, *head, content, gate, report,
                       failing_.order_of(*consignment.hosts, started),
                       started + consignment.policy->outbound.attempt_timeout);
  if (!fits(consignment)) co_await close();
  if (session_) course.adopt(session_->remote());
  domain_ = domain_of(consignment);
  bool goes_on = true;
  while (goes_on) {
    if (course.left.empty()) {
      if (course.moved.empty()) break;
      // The current host has answered for these copies: go on with the next host.
      co_await close();
      course.left = std::exchange(course.moved, {});
      course.stays_here = false;
    }
    if (!session_) {
      goes_on = co_await connect(course);
    } else {
      goes_on = co_await transact(course);
    }
  }
  if (!course.moved.empty()) {
    course.left = std::exchange(course.moved, {});
    course.give_up(place_.cut.made());
  }
  report.sending = duration_cast<milliseconds>(ports_.clock.steady() - started) - report.connecting;
  co_return report;
}

}  // namespace relay::delivery
