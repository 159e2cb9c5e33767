// From what the SMTP client heard to what the queue records.
#pragma once

#include "relay/delivery/mx_selection.hpp"
#include "relay/mail/outcome.hpp"
#include "relay/ports/stream.hpp"
#include "relay/smtp/client_machine.hpp"

namespace relay::delivery {

/// The remote's words with the place they came from.
mail::Outcome outcome_of(const smtp::Verdict& verdict, const Candidate& remote,
                         const std::string& tls_version);

/// A decision of our own, without a remote.
mail::Outcome local_outcome(mail::OutcomeKind kind, mail::EnhancedStatus status, std::string text);

/// RFC 3463 status for a broken connection: 4.4.1 no answer, 4.4.2 bad connection, 4.7.0 TLS.
mail::EnhancedStatus status_of(ports::IoError error);

}  // namespace relay::delivery
