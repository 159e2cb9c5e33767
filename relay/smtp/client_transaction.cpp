// The part of ClientMachine between the greeting and the end of the session: one transaction.
#include <algorithm>
#include <functional>
#include <utility>

#include "relay/smtp/client_machine.hpp"

namespace relay::smtp {

namespace {

using mail::OutcomeKind;
using mail::Stage;

constexpr mail::EnhancedStatus kTooBig{5, 3, 4};
constexpr mail::EnhancedStatus kNoSmtputf8{5, 6, 7};  // RFC 6531 §3.5

}  // namespace

bool ClientMachine::refuse_unsendable() {
  const auto& [reverse_path, recipients, size, eight_bit, needs_smtputf8] = transaction_;
  if (offered_.max_size && size > *offered_.max_size) {
    decide_rest(local_verdict(OutcomeKind::Failed, Stage::MailFrom, kTooBig,
                              "message is larger than the server accepts"));
  }
  if (!offered_.smtputf8) {
    const Verdict refused = local_verdict(OutcomeKind::Failed, Stage::MailFrom, kNoSmtputf8,
                                          "server does not support SMTPUTF8");
    if (needs_smtputf8 || (!reverse_path.is_null() && reverse_path.mailbox().is_utf8())) {
      decide_rest(refused);
    }
    for (std::size_t i = 0; i < recipients.size(); ++i) {
      if (recipients[i].is_utf8()) decide(i, refused);
    }
  }
  return std::ranges::all_of(decided_, std::identity());
}

void ClientMachine::begin(ClientTransaction transaction) {
  transaction_ = std::move(transaction);
  const std::size_t count = transaction_.recipients.size();
  verdicts_.assign(count, {});
  decided_.assign(count, false);
  accepted_.assign(count, false);
  expected_.clear();
  unsaid_.clear();
  step_ = Step::Read;
  if (refuse_unsendable()) {
    step_ = Step::Done;
    return;
  }
  if (needs_reset_) unsaid_.push_back({Await::Reset});
  unsaid_.push_back({Await::MailFrom});
  for (std::size_t i = 0; i < count; ++i) {
    if (!decided_[i]) unsaid_.push_back({Await::RcptTo, i});
  }
  unsaid_.push_back({Await::Data});
  say_envelope();
}

/// With PIPELINING all at once, DATA being the last of its group (RFC 2920 §3.1); else one by one.
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
      say(mail_line(), next.await);
      // From here until 2xx to the end of data a transaction may be open on the server's side.
      needs_reset_ = true;
      return true;
    case Await::RcptTo:
      if (decided_[next.recipient]) return false;  // MAIL has been refused meanwhile
      say("RCPT TO:<" + transaction_.recipients[next.recipient].to_string() + ">", next.await,
          next.recipient);
      return true;
    default:
      break;
  }
  // Step by step we know by now whether anybody is left to send to.
  if (!offered_.pipelining && !any_accepted()) {
    step_ = Step::Done;
    return true;
  }
  say("DATA", Await::Data);
  return true;
}

std::string ClientMachine::mail_line() const {
  const auto& sender = transaction_.reverse_path;
  std::string line = "MAIL FROM:<" + sender.to_string() + ">";
  if (offered_.size) line += " SIZE=" + std::to_string(transaction_.size);
  // An 8-bit body goes to a 7-bit server as it is: converting would break its signatures (O-8).
  if (offered_.eight_bit_mime && transaction_.eight_bit) line += " BODY=8BITMIME";
  const bool utf8 = transaction_.needs_smtputf8 ||
                    (!sender.is_null() && sender.mailbox().is_utf8()) ||
                    std::ranges::any_of(transaction_.recipients, &mail::Mailbox::is_utf8);
  if (offered_.smtputf8 && utf8) line += " SMTPUTF8";
  return line;
}

void ClientMachine::on_envelope(const RemoteReply& reply, Expected expected) {
  Verdict verdict = verdict_of(reply, stage_of(expected.await));
  if (reply.code < 400 && !reply.positive()) return fail(std::move(verdict));
  if (expected.await == Await::MailFrom) {
    if (!reply.positive()) decide_rest(verdict);
    return;
  }
  if (reply.positive()) {
    accepted_[expected.recipient] = true;
    return;
  }
  // RFC 5321 §4.5.3.1.10: 552 to RCPT is an old way to say 452, too many recipients.
  if (reply.code == 452 || reply.code == 552) {
    verdict.kind = OutcomeKind::Deferred;
    verdict.too_many = any_accepted();
  }
  decide(expected.recipient, std::move(verdict));
}

void ClientMachine::on_data(const RemoteReply& reply) {
  Verdict verdict = verdict_of(reply, Stage::Data);
  if (reply.code == 354) {
    if (any_accepted()) {
      step_ = Step::Content;
    } else if (std::ranges::any_of(accepted_, std::identity())) {
      // MAIL was refused and yet somebody is to receive: a dot would send them an empty message.
      fail(local_verdict(OutcomeKind::Deferred, Stage::Data, {4, 5, 0},
                         "server takes recipients without a sender"));
    } else {
      say(".", Await::LoneDot);  // O-4: ends the transaction, whatever the server makes of it
    }
    return;
  }
  if (reply.code < 400) return fail(std::move(verdict));
  decide_rest(verdict);
  step_ = Step::Done;
}

void ClientMachine::advance() {
  if (!unsaid_.empty()) say_envelope();
}

void ClientMachine::content_sent() {
  step_ = Step::Read;
  expected_.push_back({Await::EndOfData});
}

bool ClientMachine::any_accepted() const {
  for (std::size_t i = 0; i < accepted_.size(); ++i) {
    if (accepted_[i] && !decided_[i]) return true;
  }
  return false;
}

void ClientMachine::decide(std::size_t recipient, Verdict verdict) {
  if (decided_[recipient]) return;  // the first reason counts, not the 503 that follows it
  decided_[recipient] = true;
  verdicts_[recipient] = std::move(verdict);
}

void ClientMachine::decide_rest(const Verdict& verdict) {
  for (std::size_t i = 0; i < verdicts_.size(); ++i) decide(i, verdict);
}

}  // namespace relay::smtp
