// The part of AttemptRunner that runs one transaction and judges its replies for each copy.
#include <algorithm>
#include <utility>

#include "relay/delivery/attempt.hpp"
#include "relay/delivery/outcome_map.hpp"
#include "relay/mail/header.hpp"

namespace relay::delivery {

namespace {

using mail::OutcomeKind;
using mail::Stage;
using smtp::NextStep;
using Failure = FailingHosts::Failure;

constexpr std::chrono::seconds kJustUsed{1};
// Exim closes after more than ten commands that lead to no mail, and counts each RSET.
constexpr std::size_t kMostUntaken = 9;

/// The server ends the session at RCPT after it has refused recipients of this transaction, as
/// Postfix does behind so many errors. That is about those recipients: the others have heard
/// nothing of their own.
bool is_about_others(const std::vector<smtp::Verdict>& verdicts) {
  const auto at_rcpt = [&](bool closing) {
    return std::ranges::any_of(verdicts, [closing](const smtp::Verdict& verdict) {
      return verdict.stage == Stage::RcptTo && verdict.closing == closing && verdict.code >= 400;
    });
  };
  return at_rcpt(true) && at_rcpt(false);
}

}  // namespace

std::size_t AttemptRunner::most_recipients(const AttemptCourse& course) const {
  const Consignment& consignment = course.consignment;
  const std::size_t learnt =
      tighter(place_.group->most_recipients.load(), course.report.feedback.stated.recipients);
  return tighter(tighter(consignment.policy->recipients_per_transaction, learnt),
                 value_of(session_->offered().rcpt_max));
}

/// One transaction with the current host. False: the attempt is over.
base::Task<bool> AttemptRunner::transact(AttemptCourse& course) {
  if (sent_ > 0 && !may_begin(course)) {
    course.give_up(place_.cut.made());
    co_return false;
  }
  if (sent_ >= most_messages(course.consignment)) {
    course.stays_here = true;
    co_await close();
    co_return true;
  }
  const auto count =
      static_cast<std::ptrdiff_t>(std::min(course.left.size(), most_recipients(course)));
  std::vector<std::size_t> which(course.left.begin(), course.left.begin() + count);
  const bool reused = sent_ > 0;
  ++sent_;
  auto transaction = course.transaction_for(which);
  const auto may_go_on = [&, all = course.indices_of(which)](bool at_dot) {
    if (!at_dot) return course.gate(all, false);
    std::vector<std::uint16_t> taken;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (session_->is_to_receive(i)) taken.push_back(all[i]);
    }
    return course.gate(taken, true);
  };
  const auto sent = co_await session_->send(std::move(transaction), course.head, course.content,
                                            ports_.queue, may_go_on);
  Feedback& feedback = course.report.feedback;
  feedback.timed_out = feedback.timed_out || session_->timed_out();
  course.stays_here = true;
  if (!sent) {
    forget_session();
    if (sent.error().trouble == SendTrouble::Withdrawn) {
      course.drop_withdrawn();
      co_return !course.left.empty() || !course.moved.empty();
    }
    course.report.spool_error = sent.error().error;
    co_return false;
  }
  if (was_stale(reused)) {
    // The server closed the kept connection before it saw this transaction: connect to the same
    // host again. If it closed right after its last message, take that as its limit.
    if (ports_.clock.steady() < last_used_ + kJustUsed) feedback.stated.messages = sent_ - 1;
    forget_session();
    co_return true;
  }
  if (was_one_too_many(reused)) feedback.stated.messages = sent_ - 1;
  course.left.erase(course.left.begin(), course.left.begin() + count);
  judge(course, which);
  last_used_ = ports_.clock.steady();
  if (!session_->reusable() || was_refused_in_the_clear() || untaken_ >= kMostUntaken) {
    co_await close();
  }
  co_return !feedback.throttled;
}

/// TLS failed and the server refuses in the clear: close, so that the next connection tries TLS.
bool AttemptRunner::was_refused_in_the_clear() const {
  return session_->is_fallback() &&
         std::ranges::any_of(session_->verdicts(), [](const smtp::Verdict& verdict) {
           return verdict.kind != OutcomeKind::Delivered && verdict.stage < Stage::Data;
         });
}

/// The server had closed the kept connection, or closes it with the reply to MAIL: it has judged
/// nothing of this transaction.
bool AttemptRunner::was_stale(bool reused) const {
  const auto& verdicts = session_->verdicts();
  return reused && !session_->reusable() && !place_.cut.made() && !session_->timed_out() &&
         std::ranges::all_of(verdicts, [](const smtp::Verdict& verdict) {
           return verdict.stage == Stage::MailFrom && (verdict.code == 0 || verdict.closing) &&
                  verdict.kind == OutcomeKind::Deferred && !verdict.throttles();
         });
}

/// The server took messages on this connection and now refuses another MAIL: some servers say 421
/// (even with 4.7.0, as if we were too fast), some 452. The next connection carries fewer messages.
bool AttemptRunner::was_one_too_many(bool reused) const {
  const auto& verdicts = session_->verdicts();
  return reused && sent_ - 1 > untaken_ && !place_.cut.made() &&
         std::ranges::all_of(verdicts, [](const smtp::Verdict& verdict) {
           return verdict.stage == Stage::MailFrom && verdict.kind == OutcomeKind::Deferred &&
                  (verdict.code == 421 || verdict.code == 452);
         });
}

void AttemptRunner::judge(AttemptCourse& course, const std::vector<std::size_t>& which) {
  Feedback& feedback = course.report.feedback;
  const auto& verdicts = session_->verdicts();
  std::vector<std::size_t> again;
  const std::size_t moved_before = course.moved.size();
  bool is_throttled = false;
  const bool spares_others = !course.spared_others && is_about_others(verdicts);
  course.spared_others = course.spared_others || spares_others;
  for (std::size_t i = 0; i < which.size(); ++i) {
    if (spares_others && verdicts[i].closing) {
      again.push_back(which[i]);
    } else {
      const NextStep step = judge_copy(course, which[i], verdicts[i], again);
      is_throttled = is_throttled || step == NextStep::Throttled;
    }
  }
  const auto now = ports_.clock.steady();
  if (std::ranges::any_of(verdicts, [](const smtp::Verdict& verdict) {
        return verdict.kind == OutcomeKind::Delivered;
      })) {
    feedback.took = true;
    failing_.took(session_->remote(), now);
  } else {
    failing_.asked(session_->remote(), now);
    ++untaken_;
  }
  std::size_t& recipients = feedback.stated.recipients;
  if (!again.empty() && !spares_others) {
    recipients = static_cast<std::size_t>(
        std::ranges::count_if(verdicts, [](const auto& v) { return v.stage > Stage::RcptTo; }));
  }
  recipients = tighter(recipients, value_of(session_->offered().rcpt_max));
  feedback.stated.messages =
      tighter(feedback.stated.messages, value_of(session_->offered().mail_max));
  if (course.moved.size() > moved_before) {
    // A host that took mail on this connection, or refuses a recipient, is in no trouble.
    const bool only_this_mail = std::ranges::all_of(verdicts, [](const smtp::Verdict& verdict) {
      const bool of_recipient =
          verdict.stage == Stage::RcptTo && !verdict.closing && verdict.code != 0;
      return of_recipient || verdict.by_capability;
    });
    const bool takes_mail = sent_ > untaken_;
    failing_.failed(session_->remote(),
                    only_this_mail || takes_mail ? Failure::Mail : Failure::Session, now);
  }
  course.left.insert(course.left.begin(), again.begin(), again.end());
  if (is_throttled) heed_throttling(course);
}

/// The server asks for a slower pace: no other host is tried, and the untried copies are deferred
/// as well.
void AttemptRunner::heed_throttling(AttemptCourse& course) {
  Feedback& feedback = course.report.feedback;
  feedback.throttled = true;
  const auto& verdicts = session_->verdicts();
  const auto why = std::ranges::find_if(
      verdicts, [](const auto& v) { return smtp::next_step(v) == NextStep::Throttled; });
  // None: a 5xx with the enhanced code of a 4xx, in the clear after TLS had failed.
  if (why == verdicts.end()) return;
  // Before the first recipient it may be about the sender: a few in a row are about us. Later on a
  // connection it may be about what was sent or refused there before.
  const bool is_patient = place_.group->throttled_in_row + 1 < Group::kPatience;
  const bool of_all_mail = why->closing || (why->stage == Stage::MailFrom && !is_patient);
  if (of_all_mail && sent_ == 1 && !is_about_others(verdicts)) {
    if (!is_patient) {
      failing_.failed(session_->remote(), Failure::Session, ports_.clock.steady());
    }
    feedback.slow_down =
        outcome_of(*why, session_->remote(), session_->tls_version(), session_->tls_result());
    feedback.slow_down->attempt.at = at_;
  }
  for (const std::size_t copy : course.left) note(course, copy, *why);
  course.left.clear();
  course.moved.clear();
}

smtp::NextStep AttemptRunner::judge_copy(AttemptCourse& course, std::size_t copy,
                                         smtp::Verdict verdict, std::vector<std::size_t>& again) {
  const bool before_data = verdict.stage < Stage::Data;
  if (session_->is_fallback() && before_data && verdict.kind == OutcomeKind::Failed &&
      !verdict.by_capability) {
    // Perhaps refused only because we came in the clear: another host may do better.
    verdict.kind = OutcomeKind::Deferred;
  }
  const NextStep step = smtp::next_step(verdict);
  if (step == NextStep::SameHostNextTransaction) {
    again.push_back(copy);
    return step;
  }
  note(course, copy, verdict);
  if (step == NextStep::AnotherHost || verdict.by_capability) course.moved.push_back(copy);
  return step;
}

}  // namespace relay::delivery
