// From what the SMTP client heard to what the queue records.
#pragma once

#include "relay/delivery/host_list.hpp"
#include "relay/mail/outcome.hpp"
#include "relay/ports/stream.hpp"
#include "relay/smtp/client_machine.hpp"

namespace relay::delivery {

/// The remote's words with the place they came from, and what TLS was to be and was.
mail::Outcome outcome_of(const smtp::Verdict& verdict, const Candidate& remote,
                         const std::string& tls_version, mail::TlsResult tls_result);

/// A decision of our own, without a remote.
mail::Outcome local_outcome(mail::OutcomeKind kind, mail::EnhancedStatus status, std::string text);

/// RFC 3463 status for a broken connection: 4.4.1 no answer, 4.4.2 bad connection, 4.7.0 TLS, 4.3.0
/// trouble of this host.
mail::EnhancedStatus status_of(ports::IoError error);

}  // namespace relay::delivery
