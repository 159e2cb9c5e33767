// The DMARC verdict (RFC 9989 §5.3): from who vouches and what was found, without asking anybody.
#pragma once

#include "relay/auth/dmarc/findings.hpp"
#include "relay/mail/authentication.hpp"
#include "relay/mail/author.hpp"

namespace relay::auth::dmarc {

/// Pass: an identifier is aligned. Fail: none is, with what the owner asks for then. None: DMARC
/// does not apply. TempError: it hangs on an answer the DNS did not give. With several authors, the
/// worst of their verdicts (RFC 9989 §11.5). Whoever vouches for the author's very domain needs no
/// policy: then a verdict that hangs on the DNS says all the same that it is aligned.
mail::DmarcVerdict evaluate(const Findings& findings, const Identifiers& identifiers);

/// Of a message whose author cannot be told: PermError and Reject, never "no policy".
mail::DmarcVerdict verdict_on(mail::AuthorProblem problem);

}  // namespace relay::auth::dmarc
