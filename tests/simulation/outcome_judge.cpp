#include "tests/simulation/outcome_judge.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace relay::simulation {

namespace {

using mail::Stage;
using ports::Recorded;
using What = Event::What;
using namespace std::chrono_literals;

Stage stage_of(Step step) {
  switch (step) {
    case Step::Connect:
      return Stage::Connect;
    case Step::Banner:
      return Stage::Banner;
    case Step::Ehlo:
      return Stage::Ehlo;
    case Step::StartTls:
    case Step::Handshake:
      return Stage::StartTls;
    case Step::Rcpt:
      return Stage::RcptTo;
    case Step::Data:
      return Stage::Data;
    case Step::Dot:
      return Stage::EndOfData;
    default:
      return Stage::MailFrom;
  }
}

}  // namespace

bool OutcomeJudge::concerns(const SaidTruth& said, const CopyTruth& copy) const {
  const int host = traffic_.connection(said.connection).host;
  const bool own_host = host >= 0 && book_.usable(copy.domain, static_cast<std::size_t>(host));
  // What ends a session, slows it down or clears it is said of the session, to whomever.
  const bool throttles = said.code < 500 && said.status.starts_with("4.7.") &&
                         said.step != Step::Rcpt && said.step != Step::Data;
  if ((said.code == 421 || said.step == Step::Reset || throttles) && own_host) return true;
  if (said.recipient != kNoCopy) return said.recipient == copy.key;
  if (said.transaction == 0) return own_host;
  const TransactionTruth& transaction = traffic_.transaction(said.transaction);
  if (std::ranges::find(transaction.keys, copy.key) != transaction.keys.end()) return true;
  // The recipients of a refused MAIL may never be heard.
  const bool sender_fits = !transaction.message || *transaction.message == copy.key.message;
  const bool of_envelope = said.step == Step::Mail || said.step == Step::Reset;
  return sender_fits && of_envelope && own_host;
}

const SaidTruth* OutcomeJudge::reply_to(const CopyTruth& copy,
                                        const mail::DeliveryAttempt& attempt) const {
  const SaidTruth* said = traffic_.reply(reply_number(attempt.text));
  return said != nullptr && concerns(*said, copy) ? said : nullptr;
}

void OutcomeJudge::check_reply(const CopyTruth& copy, const mail::DeliveryAttempt& attempt) {
  if (attempt.code == 0 || reply_number(attempt.text) == 0) return;
  const SaidTruth* said = reply_to(copy, attempt);
  if (said != nullptr) traffic_.recorded(said->transaction);
  if (said != nullptr && said->code == attempt.code) return;
  verdicts_.violate(Rule::ForeignReply, copy.name,
                    fmt::format("'{} {}' was not said to this copy", attempt.code, attempt.text));
}

/// A session that ends inside TLS before the first reply there tries again in the clear, and the
/// outcome is that of the second try. A session that was cut off for others does not try again.
void OutcomeJudge::check_fallback(const CopyTruth& copy, const mail::DeliveryAttempt& attempt) {
  const bool broke = !attempt.tls.empty() && attempt.stage == Stage::Ehlo && attempt.code == 0;
  if (!broke || attempt.tls_policy != mail::TlsLevel::May) return;
  if (was_cut_off(attempt)) return;
  verdicts_.violate(Rule::NoFallback, copy.name,
                    attempt.host + " broke off inside TLS, and was not asked in the clear");
}

void OutcomeJudge::check_delivered(const CopyTruth& copy, const mail::DeliveryAttempt& last) {
  const SaidTruth* said = reply_to(copy, last);
  const bool heard = said != nullptr && said->step == Step::Dot && said->code < 300;
  const auto was_taken = [&] {
    const auto& taken = traffic_.transaction(said->transaction).taken;
    return std::ranges::find(taken, copy.key) != taken.end();
  };
  if (copy.taken > 0 && heard && was_taken()) return;
  verdicts_.violate(Rule::DeliveredUntaken, copy.name,
                    fmt::format("recorded as delivered for '{} {}' at {}; taken {} times",
                                last.code, last.text, mail::name(last.stage), copy.taken));
}

/// Every host said in its banner that it never takes mail (RFC 7504 §3, RFC 5321 §3.1).
bool OutcomeJudge::nobody_takes_mail(const CopyTruth& copy, const ports::CopyUpdate& update) const {
  std::uint64_t said_so = 0;
  for (const auto& attempt : update.attempts) {
    const auto host = book_.host_named(attempt.host);
    const bool refuses =
        attempt.stage == Stage::Banner && (attempt.code == 521 || attempt.code == 554);
    if (!host || !refuses) return false;
    said_so |= std::uint64_t{1} << *host;
  }
  return said_so == book_.usable_mask(copy.domain);
}

void OutcomeJudge::check_refused(const CopyTruth& copy, const ports::CopyUpdate& update) {
  const mail::DeliveryAttempt& last = update.attempts.back();
  if (last.stage == Stage::Dns) {
    const DomainPlan& domain = book_.world().domains[copy.domain];
    const bool final_answer =
        domain.dns != DomainPlan::Dns::Fine || book_.usable_mask(copy.domain) == 0;
    if (final_answer) return;
    return verdicts_.violate(Rule::FailedWithoutCause, copy.name,
                             "failed for its DNS, which is fine: " + last.text);
  }
  const SaidTruth* said = reply_to(copy, last);
  if (said == nullptr || said->code != last.code || stage_of(said->step) != last.stage ||
      said->code < 500) {
    return verdicts_.violate(Rule::FailedWithoutCause, copy.name,
                             fmt::format("failed for '{} {}' at {}, which nobody said to it",
                                         last.code, last.text, mail::name(last.stage)));
  }
  // 503 to a command means that it came out of turn; after the dot it is about the content.
  const bool ours = said->code == 503 && said->step != Step::Dot;
  const bool session = said->step < Step::Mail && !nobody_takes_mail(copy, update);
  const bool limit = said->step == Step::Rcpt && said->code == 552 && said->accepted > 0 &&
                     (said->status.empty() || said->status == "5.5.3");
  if (ours || session || limit) {
    verdicts_.violate(Rule::FailedWithoutCause, copy.name,
                      fmt::format("failed for '{} {}' at {}, which is no answer to it", last.code,
                                  last.text, mail::name(last.stage)));
  }
  const ConnectionTruth& connection = traffic_.connection(said->connection);
  const bool clear_by_order = book_.world().domains[copy.domain].demand == mail::TlsLevel::Never;
  const bool fell_back = connection.offers_tls && !connection.tried_tls && !clear_by_order;
  if (fell_back && (said->step == Step::Mail || said->step == Step::Rcpt)) {
    verdicts_.violate(Rule::FailedAfterFallback, copy.name,
                      fmt::format("failed for '{} {}' in the clear", last.code, last.text));
  }
}

void OutcomeJudge::check_expired(const CopyTruth& copy) {
  const auto age = clock_.steady() - copy.waits_since;
  const auto stored_late = 1s + 10 * book_.world().spool_delay;
  if (ages_unknown_ || age + stored_late >= book_.world().settings.expire) return;
  verdicts_.violate(Rule::FailedWithoutCause, copy.name,
                    fmt::format("expired after {} s",
                                std::chrono::duration_cast<std::chrono::seconds>(age).count()));
}

void OutcomeJudge::check_notice(MessageTruth& message, const CopyTruth& copy,
                                const ports::CopyUpdate& update) {
  if (update.notify == ports::Notify::OfFailure) {
    book_.owe(message, copy.name.index, clock_.steady());
  } else if (update.notify == ports::Notify::OfDelay) {
    message.delayed.push_back(copy.name.index);
    message.delays_untold.push_back(copy.name.index);
  }
  if (update.notify != ports::Notify::Nobody) {
    verdicts_.note(What::Notice, copy.name, 0, static_cast<int>(update.notify));
  }
  const bool failed = update.state == mail::RecipientState::Failed;
  if (failed && message.may_be_told && update.notify != ports::Notify::OfFailure) {
    verdicts_.violate(Rule::DsnUnpaid, copy.name, "failed, and the sender is owed no notice");
  }
  if (!failed && update.notify == ports::Notify::OfFailure) {
    verdicts_.violate(Rule::DsnWithoutCause, copy.name, "a failure is noticed that was none");
  }
}

void OutcomeJudge::put_off(CopyTruth& copy, const ports::CopyUpdate& update) {
  verdicts_.note(What::PutOff, copy.name, 0, update.retry_after.count());
  hosts_.put_off(copy, update);
  copy.due = clock_.wall() + update.retry_after;
  copy.due_at = clock_.steady() + update.retry_after;
  if (update.retry_after <= 0ms) {
    verdicts_.violate(Rule::TooEarly, copy.name, "is to be tried again at once, for ever");
  }
}

void OutcomeJudge::end_copy(CopyTruth& copy, const ports::CopyUpdate& update) {
  const mail::DeliveryAttempt& last = update.attempts.back();
  if (update.state == mail::RecipientState::Delivered) {
    copy.state = State::Delivered;
    return check_delivered(copy, last);
  }
  copy.state = State::Failed;
  if (update.end == mail::End::Refused) return check_refused(copy, update);
  if (update.end == mail::End::Expired) return check_expired(copy);
  verdicts_.violate(Rule::FailedWithoutCause, copy.name,
                    fmt::format("an attempt ended it as {}", mail::name(update.end)));
}

void OutcomeJudge::record(MessageTruth& message, CopyTruth& copy, const ports::CopyUpdate& update,
                          Recorded how) {
  verdicts_.note(how == Recorded::TooLate ? What::TooLate : What::Recorded, copy.name, 0,
                 static_cast<int>(update.state),
                 update.attempts.empty() ? "" : update.attempts.back().text);
  if (update.attempts.empty()) {
    return verdicts_.violate(Rule::ForeignReply, copy.name, "an outcome without an attempt");
  }
  const bool dot_written = std::exchange(copy.dot_open, false);
  if (dot_written) {
    copy.dot_ended_at = clock_.steady();
    copy.outcome_unheard = true;
  }
  const bool dot_taken = dot_written && copy.dot_taken;
  copy.in_content = false;
  if (how == Recorded::TooLate) return;  // the store knows better, and nothing has changed
  const bool ends = ports::counts(how) && (update.state == mail::RecipientState::Delivered ||
                                           update.state == mail::RecipientState::Failed);
  if (dot_taken && update.possible_duplicate && !ends) ++copy.excused;
  if (update.attempts_before != copy.attempts) {
    verdicts_.violate(Rule::EndsTwice, copy.name, "recorded from a state that is no more");
  }
  copy.attempts = update.attempts_before + 1;
  if (has_ended(copy.state)) {
    return verdicts_.violate(Rule::EndsTwice, copy.name, "recorded after it had ended");
  }
  for (const auto& attempt : update.attempts) {
    check_reply(copy, attempt);
    check_fallback(copy, attempt);
  }
  hosts_.recorded(copy, update);
  if (!ports::counts(how)) return;
  check_notice(message, copy, update);
  if (ends) {
    message.copy_ended_at = clock_.steady();
    return end_copy(copy, update);
  }
  if (update.state == mail::RecipientState::Held) {
    return verdicts_.violate(Rule::Lost, copy.name, "held as damaged, which it is not");
  }
  put_off(copy, update);
}

void OutcomeJudge::recorded(const ports::Update& update, const ports::RecordAnswer& answer) {
  MessageTruth* const message = book_.find(update.id);
  if (message == nullptr || answer.copies.size() != update.copies.size()) {
    return verdicts_.violate(Rule::Lost, kNoCopy, "an outcome for a message of nobody");
  }
  for (std::size_t i = 0; i < update.copies.size(); ++i) {
    const std::uint16_t index = update.copies[i].index;
    if (index >= message->copies.size()) {
      verdicts_.violate(Rule::Lost, {message->number, index}, "an outcome for a copy of nobody");
      continue;
    }
    record(*message, message->copies[index], update.copies[i], answer.copies[i]);
  }
}

}  // namespace relay::simulation
