// Translates replies and errors of a delivery session into outcomes that the queue records.
#pragma once

#include "relay/delivery/host_list.hpp"
#include "relay/mail/outcome.hpp"
#include "relay/ports/stream.hpp"
#include "relay/smtp/client_machine.hpp"

namespace relay::delivery {

/// The verdict, with host, address and TLS of the connection.
mail::Outcome outcome_of(const smtp::Verdict& verdict, const Candidate& remote,
                         const std::string& tls_version, mail::TlsResult tls_result);

/// Our own decision, without a remote host.
mail::Outcome local_outcome(mail::OutcomeKind kind, mail::EnhancedStatus status, std::string text);

/// RFC 3463 status for a broken connection: 4.4.1 no answer, 4.4.2 bad connection, 4.7.0 TLS, 4.3.0
/// trouble of this host.
mail::EnhancedStatus status_of(ports::IoError error);

}  // namespace relay::delivery
