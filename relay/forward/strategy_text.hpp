// Texts about a choice, for the client, the log and `queue why`.
#pragma once

#include <string>

#include "relay/forward/evidence.hpp"
#include "relay/forward/rejection.hpp"

namespace relay::forward {

/// "example.org proven by SPF only, p=reject; SPF pass, DKIM none".
std::string finding_text(const Evidence& evidence, Standing standing);

/// For an author whose domain asks for refusal, or is ours: names the domain and the cause.
Rejection unproven_refusal(const Evidence& evidence, Standing standing, bool ours);

/// For mail that could leave only under a name that would vouch for its unproven author.
Rejection no_name_refusal(const Evidence& evidence, Standing standing);

/// For mail that cannot be verified now because of DNS trouble (451).
Rejection try_later(const Evidence& evidence);

}  // namespace relay::forward
