#include "relay/smtp/client_machine.hpp"

#include <utility>

namespace relay::smtp {

namespace {

using mail::EnhancedStatus;
using mail::OutcomeKind;
using mail::Stage;

constexpr EnhancedStatus kProtocolError{4, 5, 0};
constexpr EnhancedStatus kNoTls{4, 7, 0};

}  // namespace

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
      // Without a command to answer, no later reply could be matched to a command.
      return lost(kProtocolError, "reply before a command");
    }
    const Expected expected = expected_.front();
    expected_.pop_front();
    const std::size_t said = output_.size();
    ++replies_;
    on_reply(**reply, expected);
    if (output_.size() != said && !parser_.idle()) {
      // The next reply began before the command was sent.
      return lost(kProtocolError, "reply before a command");
    }
  }
  // Octets after the last expected reply came before any further command.
  if (step_ != Step::Closed && expected_.empty() && !parser_.idle()) {
    lost(kProtocolError, "octets before a command");
  }
  if (step_ == Step::Read && expected_.empty()) advance();
}

void ClientMachine::on_reply(const RemoteReply& reply, Expected expected) {
  const Verdict verdict = verdict_of(reply, stage_of(expected.await));
  if (verdict.closing) {
    // RFC 5321 §3.8: 421 answers any command, and the whole session with it.
    if (expected.await == Await::RcptTo) fates_.decide(expected.recipient, verdict);
    return fail(verdict);
  }
  switch (expected.await) {
    case Await::Banner:
    case Await::Ehlo:
    case Await::Helo:
    case Await::StartTls:
      return on_greeting(reply, expected.await);
    case Await::Reset:
      // needs_reset_ stays set: with PIPELINING the next MAIL has already been sent.
      if (!reply.positive()) fail(reply.code == kBadSequence ? blame_us(verdict) : verdict);
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
  fates_.decide_rest(verdict);
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
      step_ = Step::Ready;  // refused: opportunistic means to go on
    }
    return;
  }
  if (await == Await::Banner && reply.code == 220) return say("EHLO " + hostname_, Await::Ehlo);
  if (encrypted_ && reply.code == kBadSequence) return fail(blame_us(std::move(verdict)));
  if (await == Await::Ehlo && reply.permanent()) {
    return say("HELO " + hostname_, Await::Helo);  // RFC 5321 §3.2
  }
  if (await == Await::Banner || !reply.positive()) return fail(std::move(verdict));
  offered_ = await == Await::Ehlo ? read_extensions(reply) : Extensions{};
  greeted();
}

void ClientMachine::greeted() {
  const bool wants_tls = !encrypted_ && tls_ != TlsUse::Never;
  if (wants_tls && offered_.starttls) {
    say("STARTTLS", Await::StartTls);
  } else if (wants_tls && tls_ == TlsUse::Required) {
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

Verdict ClientMachine::blame_us(Verdict verdict) {
  out_of_step_ = true;
  return out_of_step(std::move(verdict));
}

void ClientMachine::fail(Verdict verdict) {
  failure_ = verdict;
  // The end of a session is no permanent failure of any recipient.
  verdict.kind = OutcomeKind::Deferred;
  fates_.decide_rest(verdict);
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
