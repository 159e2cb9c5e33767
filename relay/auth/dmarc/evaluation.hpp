// The DMARC verdict (RFC 9989 §5.3), from identifiers and findings. No lookups.
#pragma once

#include "relay/auth/dmarc/findings.hpp"
#include "relay/mail/authentication.hpp"
#include "relay/mail/author.hpp"

namespace relay::auth::dmarc {

/// Pass: an identifier is aligned. Fail: none is; `policy` is what the owner asks for. None: DMARC
/// does not apply. TempError: the verdict depends on a DNS answer that is missing. With several
/// authors: the worst of their verdicts (RFC 9989 §11.5). An identifier equal to the author's
/// domain is aligned whatever the policy, so it is reported as aligned even in a TempError.
mail::DmarcVerdict evaluate(const Findings& findings, const Identifiers& identifiers);

/// For a message whose author cannot be determined: PermError and Reject, never "no policy".
mail::DmarcVerdict verdict_on(mail::AuthorProblem problem);

}  // namespace relay::auth::dmarc
