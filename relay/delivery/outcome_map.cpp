#include "relay/delivery/outcome_map.hpp"

#include "relay/base/network.hpp"

namespace relay::delivery {

mail::Outcome outcome_of(const smtp::Verdict& verdict, const Candidate& remote,
                         const std::string& tls_version, mail::TlsResult tls_result) {
  mail::Outcome outcome;
  outcome.kind = verdict.kind;
  outcome.possible_duplicate = verdict.ambiguous;
  outcome.attempt.host = remote.host;
  outcome.attempt.address = base::text_of(remote.endpoint.address);
  outcome.attempt.port = remote.endpoint.port;
  outcome.attempt.tls = tls_version;
  outcome.attempt.tls_policy = remote.demand.level;
  outcome.attempt.tls_result = tls_result;
  outcome.attempt.stage = verdict.stage;
  outcome.attempt.code = verdict.code;
  outcome.attempt.status = verdict.status;
  outcome.attempt.text = verdict.text;
  return outcome;
}

mail::Outcome local_outcome(mail::OutcomeKind kind, mail::EnhancedStatus status, std::string text) {
  mail::Outcome outcome;
  outcome.kind = kind;
  outcome.attempt.stage = mail::Stage::Policy;
  outcome.attempt.status = status;
  outcome.attempt.text = std::move(text);
  return outcome;
}

mail::EnhancedStatus status_of(ports::IoError error) {
  switch (error) {
    case ports::IoError::Closed:
    case ports::IoError::Reset:
    case ports::IoError::Timeout:
      return {4, 4, 2};
    case ports::IoError::Refused:
    case ports::IoError::Unreachable:
      return {4, 4, 1};
    case ports::IoError::TlsFailed:
    case ports::IoError::TlsFlood:
      return {4, 7, 0};
    case ports::IoError::Exhausted:
    case ports::IoError::NoSource:
      return {4, 3, 0};
  }
  return {4, 4, 0};
}

}  // namespace relay::delivery
