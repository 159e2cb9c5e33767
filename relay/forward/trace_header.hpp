#pragma once

#include <string>

#include "relay/base/time.hpp"
#include "relay/mail/envelope.hpp"

namespace relay::forward {

/// The Received field we put on top (RFC 5321 §4.4), CRLF-terminated. `with` is SMTP, ESMTP,
/// ESMTPS, UTF8SMTP or UTF8SMTPS (RFC 3848, RFC 6531 §4.3). `only` is the one recipient of the
/// message, named in "for", or null: several would learn of each other. One in UTF-8 is not named,
/// for it would make a message that needs SMTPUTF8 of one that does not.
std::string received_field(const mail::Client& client, const std::string& hostname,
                           const mail::MessageId& id, bool smtputf8, const mail::ForwardPath* only,
                           base::WallTime now);

}  // namespace relay::forward
