#include "relay/smtp/verdict.hpp"

#include <utility>

namespace relay::smtp {

using mail::EnhancedStatus;
using mail::OutcomeKind;
using mail::Stage;

namespace {

/// Whether the remote itself gave a temporary reply of this subject (RFC 3463 §3).
bool speaks_of(const Verdict& verdict, std::uint16_t subject) {
  return verdict.code != 0 && verdict.status.klass == 4 && verdict.status.subject == subject;
}

constexpr std::uint16_t kMailbox = 2;
constexpr std::uint16_t kPolicy = 7;
constexpr EnhancedStatus kTooManyRecipients{4, 5, 3};

}  // namespace

bool Verdict::throttles() const {
  if (!speaks_of(*this, kPolicy)) return false;
  return closing || stage == Stage::Banner || stage == Stage::Ehlo || stage == Stage::MailFrom ||
         stage == Stage::EndOfData;
}

bool Verdict::about_recipient() const {
  return stage == Stage::RcptTo && !closing && speaks_of(*this, kMailbox);
}

bool Verdict::refuses_service() const {
  return stage == Stage::Banner && (code == 521 || code == 554);
}

NextStep next_step(const Verdict& verdict) {
  if (verdict.by_capability) return NextStep::AnotherHost;
  if (verdict.kind != OutcomeKind::Deferred) return NextStep::Settled;
  if (verdict.ambiguous) return NextStep::WaitForThisCopy;
  if (verdict.protocol_error) return NextStep::AnotherHost;
  if (verdict.too_many) return NextStep::SameHostNextTransaction;
  if (verdict.throttles()) return NextStep::Throttled;
  const bool at_rcpt = verdict.stage == Stage::RcptTo;
  if ((at_rcpt || verdict.stage == Stage::Data) && speaks_of(verdict, kPolicy)) {
    return NextStep::WaitForThisCopy;
  }
  if (verdict.about_recipient() || (at_rcpt && verdict.status == kTooManyRecipients)) {
    return NextStep::WaitForThisCopy;
  }
  return NextStep::AnotherHost;
}

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
    verdict.status = reply.temporary() ? reply.status.value_or(EnhancedStatus{4, 0, 0})
                                       : EnhancedStatus{4, 5, 0};
  }
  return verdict;
}

bool may_mean_too_many(const RemoteReply& reply) {
  constexpr EnhancedStatus kStorage{4, 3, 1};
  if (reply.status && reply.status->subject == 5 && reply.status->detail == 3) {
    return reply.temporary() || reply.code == 552;
  }
  if (reply.code != 452 && reply.code != 552) return false;
  const bool unspecific =
      !reply.status || (reply.status->subject == 0 && reply.status->detail == 0);
  return unspecific || reply.status == kStorage;
}

Verdict out_of_step(Verdict verdict) {
  verdict.kind = OutcomeKind::Deferred;
  verdict.status = {4, 5, 0};
  verdict.protocol_error = true;
  return verdict;
}

Verdict local_verdict(OutcomeKind kind, Stage stage, EnhancedStatus status, std::string text) {
  Verdict verdict;
  verdict.kind = kind;
  verdict.stage = stage;
  verdict.status = status;
  verdict.text = std::move(text);
  return verdict;
}

}  // namespace relay::smtp
