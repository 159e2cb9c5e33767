#pragma once

#include <string>

#include "relay/base/time.hpp"
#include "relay/mail/envelope.hpp"

namespace relay::forward {

/// The Received field that we put on top (RFC 5321 §4.4), CRLF-terminated. Its "with" is SMTP,
/// ESMTP, ESMTPS, UTF8SMTP or UTF8SMTPS (RFC 3848, RFC 6531 §4.3). `only` is the single recipient
/// of the message, named in "for"; null if there are several, who would learn of each other. A
/// recipient in UTF-8 is not named: it would make the message need SMTPUTF8.
std::string received_field(const mail::Client& client, const std::string& hostname,
                           const mail::MessageId& id, bool smtputf8, const mail::ForwardPath* only,
                           base::WallTime now);

}  // namespace relay::forward
