#include "relay/smtp/verdict.hpp"

#include <utility>

namespace relay::smtp {

using mail::EnhancedStatus;
using mail::OutcomeKind;

Verdict verdict_of(const RemoteReply& reply, mail::Stage stage) {
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

Verdict local_verdict(OutcomeKind kind, mail::Stage stage, EnhancedStatus status,
                      std::string text) {
  Verdict verdict;
  verdict.kind = kind;
  verdict.stage = stage;
  verdict.status = status;
  verdict.text = std::move(text);
  return verdict;
}

}  // namespace relay::smtp
