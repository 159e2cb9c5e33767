// The part of ClientMachine between greeting and end of session: one transaction.
#include <utility>

#include "relay/smtp/client_machine.hpp"

namespace relay::smtp {

using mail::OutcomeKind;
using mail::Stage;

void ClientMachine::begin(ClientTransaction transaction) {
  transaction_ = std::move(transaction);
  const std::size_t count = transaction_.recipients.size();
  fates_.begin(count);
  expected_.clear();
  unsaid_.clear();
  step_ = Step::Read;
  for (std::size_t i = 0; i < count; ++i) {
    auto refused = unsendable(transaction_, transaction_.recipients[i], offered_);
    if (refused) fates_.decide(i, std::move(*refused));
  }
  if (fates_.all_decided()) {
    step_ = Step::Done;
    return;
  }
  if (needs_reset_) unsaid_.push_back({Await::Reset});
  unsaid_.push_back({Await::MailFrom});
  for (std::size_t i = 0; i < count; ++i) {
    if (!fates_.is_decided(i)) unsaid_.push_back({Await::RcptTo, i});
  }
  unsaid_.push_back({Await::Data});
  say_envelope();
}

/// With PIPELINING sends all commands at once, DATA as the last of the group (RFC 2920 §3.1);
/// otherwise one by one.
void ClientMachine::say_envelope() {
  while (!unsaid_.empty()) {
    const bool spoke = say_next();
    if (spoke && !offered_.pipelining) return;
  }
}

bool ClientMachine::say_next() {
  const Expected next = unsaid_.front();
  unsaid_.pop_front();
  switch (next.await) {
    case Await::Reset:
      say("RSET", next.await);
      return true;
    case Await::MailFrom:
      say(mail_line(transaction_, offered_), next.await);
      // From here until the end of data is answered 2xx, a transaction may be open at the server.
      needs_reset_ = true;
      return true;
    case Await::RcptTo:
      if (fates_.is_decided(next.recipient)) return false;  // MAIL was refused
      say("RCPT TO:<" + transaction_.recipients[next.recipient].to_string() + ">", next.await,
          next.recipient);
      return true;
    default:
      break;
  }
  // Without PIPELINING all replies to RCPT are known: without an accepted recipient, no DATA.
  if (!offered_.pipelining && !fates_.any_accepted()) {
    step_ = Step::Done;
    return true;
  }
  say("DATA", Await::Data);
  return true;
}

void ClientMachine::on_envelope(const RemoteReply& reply, Expected expected) {
  if (reply.code < 400 && !reply.positive()) {
    return fail(verdict_of(reply, stage_of(expected.await)));
  }
  if (expected.await == Await::RcptTo) return on_recipient(reply, expected.recipient);
  if (reply.positive()) return;
  const Verdict verdict = verdict_of(reply, Stage::MailFrom);
  fates_.decide_rest(reply.code == kBadSequence ? blame_us(verdict) : verdict);
}

void ClientMachine::on_recipient(const RemoteReply& reply, std::size_t recipient) {
  if (reply.positive()) {
    fates_.accept(recipient);
    return;
  }
  // Decided already, because MAIL was refused: then 503 to a pipelined RCPT is correct, and
  // ignored.
  if (fates_.is_decided(recipient)) return;
  Verdict verdict = verdict_of(reply, Stage::RcptTo);
  if (reply.code == kBadSequence) {
    verdict = blame_us(std::move(verdict));
  } else if (may_mean_too_many(reply) && fates_.any_accepted()) {
    verdict.kind = OutcomeKind::Deferred;
    verdict.status.klass = 4;
    verdict.too_many = true;
  }
  fates_.decide(recipient, std::move(verdict));
}

void ClientMachine::on_data(const RemoteReply& reply) {
  Verdict verdict = verdict_of(reply, Stage::Data);
  if (reply.code == 354) {
    if (fates_.any_accepted()) {
      step_ = Step::Content;
    } else if (fates_.any_in_transaction()) {
      // MAIL was refused, but a recipient was accepted: a dot would send them an empty message.
      fail(local_verdict(OutcomeKind::Deferred, Stage::Data, {4, 5, 0},
                         "server takes recipients without a sender"));
    } else {
      say(".", Await::LoneDot);  // ends the transaction, whatever the reply
    }
    return;
  }
  if (reply.code < 400) return fail(std::move(verdict));
  // Without an accepted recipient 503 is the correct reply (RFC 5321 §4.1.1.4).
  if (reply.code == kBadSequence && fates_.any_accepted()) verdict = blame_us(std::move(verdict));
  fates_.decide_rest(verdict);
  step_ = Step::Done;
}

void ClientMachine::advance() {
  if (!unsaid_.empty()) say_envelope();
}

void ClientMachine::content_sent() {
  step_ = Step::Read;
  expected_.push_back({Await::EndOfData});
}

}  // namespace relay::smtp
