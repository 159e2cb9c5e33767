#include "relay/smtp/client_machine.hpp"

#include <algorithm>
#include <utility>

namespace relay::smtp {

namespace {

using mail::EnhancedStatus;
using mail::OutcomeKind;
using mail::Stage;

constexpr EnhancedStatus kProtocolError{4, 5, 0};
constexpr EnhancedStatus kNoTls{4, 7, 0};
constexpr EnhancedStatus kTooBig{5, 3, 4};
constexpr EnhancedStatus kNoSmtputf8{5, 6, 7};  // RFC 6531 §3.5

Verdict local_verdict(OutcomeKind kind, Stage stage, EnhancedStatus status, std::string text) {
  Verdict verdict;
  verdict.kind = kind;
  verdict.stage = stage;
  verdict.status = status;
  verdict.text = std::move(text);
  return verdict;
}

}  // namespace

Verdict verdict_of(const RemoteReply& reply, Stage stage) {
  Verdict verdict;
  verdict.stage = stage;
  verdict.code = reply.code;
  verdict.text = reply.text();
  verdict.closing = reply.code == 421;
  if (reply.positive()) {
    verdict.kind = OutcomeKind::Delivered;
    verdict.status = reply.status.value_or(EnhancedStatus{2, 0, 0});
  } else if (reply.permanent()) {
    verdict.kind = OutcomeKind::Failed;
    verdict.status = reply.status.value_or(EnhancedStatus{5, 0, 0});
  } else {
    verdict.kind = OutcomeKind::Deferred;
    verdict.status =
        reply.temporary() ? reply.status.value_or(EnhancedStatus{4, 0, 0}) : kProtocolError;
  }
  return verdict;
}

ClientMachine::ClientMachine(std::string hostname, TlsUse tls)
    : hostname_(std::move(hostname)), tls_(tls) {
  expected_.push_back({Await::Banner});
}

Stage ClientMachine::stage_of(Await await) {
  switch (await) {
    case Await::Banner:
      return Stage::Banner;
    case Await::Ehlo:
    case Await::Helo:
      return Stage::Ehlo;
    case Await::StartTls:
      return Stage::StartTls;
    case Await::Reset:
    case Await::MailFrom:
      return Stage::MailFrom;
    case Await::RcptTo:
      return Stage::RcptTo;
    case Await::Data:
      return Stage::Data;
    case Await::EndOfData:
    case Await::LoneDot:
      return Stage::EndOfData;
  }
  return Stage::Policy;
}

Stage ClientMachine::stage() const {
  if (!expected_.empty()) return stage_of(expected_.front().await);
  if (step_ == Step::StartTls) return Stage::StartTls;
  return step_ == Step::Content ? Stage::Data : Stage::MailFrom;
}

std::string ClientMachine::take_output() { return std::exchange(output_, {}); }

void ClientMachine::say(std::string_view line, Await await, std::size_t recipient) {
  output_ += line;
  output_ += "\r\n";
  expected_.push_back({await, recipient});
}

void ClientMachine::feed(std::string_view octets) {
  parser_.feed(octets);
  while (step_ != Step::Closed) {
    auto reply = parser_.next();
    if (!reply) {
      return lost(kProtocolError, std::string(describe(reply.error())));
    }
    if (!*reply) break;
    if (expected_.empty()) {
      // A reply to nothing we said: from here on no reply can be trusted to belong (O-6).
      return lost(kProtocolError, "reply before a command");
    }
    const Expected expected = expected_.front();
    expected_.pop_front();
    const std::size_t said = output_.size();
    on_reply(**reply, expected);
    if (output_.size() != said && !parser_.idle()) {
      return lost(kProtocolError, "reply before a command");  // this very command: O-6
    }
  }
  // What follows the last reply we waited for was said too early (O-6, T-2).
  if (step_ != Step::Closed && expected_.empty() && !parser_.idle()) {
    lost(kProtocolError, "octets before a command");
  }
  if (step_ == Step::Read && expected_.empty()) advance();
}

void ClientMachine::on_reply(const RemoteReply& reply, Expected expected) {
  const Verdict verdict = verdict_of(reply, stage_of(expected.await));
  if (verdict.closing) {
    // RFC 5321 §3.8: 421 answers any command, and the whole session with it.
    if (expected.await == Await::RcptTo) decide(expected.recipient, verdict);
    return fail(verdict);
  }
  switch (expected.await) {
    case Await::Banner:
    case Await::Ehlo:
    case Await::Helo:
    case Await::StartTls:
      return on_greeting(reply, expected.await);
    case Await::Reset:
      if (!reply.positive()) return fail(verdict);
      needs_reset_ = false;
      return;
    case Await::MailFrom:
    case Await::RcptTo:
      return on_envelope(reply, expected);
    case Await::Data:
      return on_data(reply);
    case Await::LoneDot:
      step_ = Step::Done;
      return;
    case Await::EndOfData:
      break;
  }
  if (reply.code < 400 && !reply.positive()) {
    return lost(kProtocolError, "neither yes nor no to the end of data", true);
  }
  needs_reset_ = !reply.positive();
  decide_rest(verdict);
  step_ = Step::Done;
}

void ClientMachine::on_greeting(const RemoteReply& reply, Await await) {
  Verdict verdict = verdict_of(reply, stage_of(await));
  if (await == Await::StartTls) {
    if (reply.code == 220) {
      step_ = Step::StartTls;
    } else if (tls_ == TlsUse::Required) {
      fail(std::move(verdict));
    } else {
      step_ = Step::Ready;  // refused: opportunistic means to go on (T-3)
    }
    return;
  }
  if (await == Await::Banner && reply.code == 220) return say("EHLO " + hostname_, Await::Ehlo);
  if (await == Await::Ehlo && reply.permanent()) {
    return say("HELO " + hostname_, Await::Helo);  // RFC 5321 §3.2
  }
  if (await == Await::Banner || !reply.positive()) return fail(std::move(verdict));
  offered_ = await == Await::Ehlo ? read_extensions(reply) : Extensions{};
  greeted();
}

void ClientMachine::greeted() {
  if (encrypted_ || tls_ == TlsUse::Never) {
    step_ = Step::Ready;
  } else if (offered_.starttls) {
    say("STARTTLS", Await::StartTls);
  } else if (tls_ == TlsUse::Required) {
    fail(local_verdict(OutcomeKind::Deferred, Stage::StartTls, kNoTls,
                       "TLS is required here, and the server does not offer it"));
  } else {
    step_ = Step::Ready;
  }
}

void ClientMachine::tls_started() {
  encrypted_ = true;
  offered_ = {};
  parser_ = {};
  step_ = Step::Read;
  say("EHLO " + hostname_, Await::Ehlo);
}

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
  // Until the server says 2xx to the end of data, the transaction is open on its side.
  needs_reset_ = true;
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

void ClientMachine::fail(Verdict verdict) {
  failure_ = verdict;
  // A session that ended says nothing final about any recipient.
  verdict.kind = OutcomeKind::Deferred;
  decide_rest(verdict);
  expected_.clear();
  unsaid_.clear();
  step_ = Step::Closed;
}

void ClientMachine::lost(mail::EnhancedStatus status, std::string why, bool end_of_data_sent) {
  if (step_ == Step::Closed) return;
  Verdict verdict = local_verdict(OutcomeKind::Deferred, stage(), status, std::move(why));
  verdict.ambiguous =
      end_of_data_sent || (!expected_.empty() && expected_.front().await == Await::EndOfData);
  if (end_of_data_sent) verdict.stage = Stage::EndOfData;
  fail(std::move(verdict));
}

void ClientMachine::quit() {
  output_ += "QUIT\r\n";
  step_ = Step::Closed;
}

}  // namespace relay::smtp
