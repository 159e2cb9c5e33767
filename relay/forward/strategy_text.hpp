// What the client, the log and `queue why` are told about a choice.
#pragma once

#include <string>

#include "relay/forward/evidence.hpp"
#include "relay/forward/rejection.hpp"

namespace relay::forward {

/// "example.org proven by SPF only, p=reject; SPF pass, DKIM none".
std::string finding_text(const Evidence& evidence, Standing standing);

/// The author's domain asks for refusal, or is ours: names the domain and the cause.
Rejection unproven_refusal(const Evidence& evidence, Standing standing, bool ours);

/// There is no name left under which it could go without lending it ours.
Rejection no_name_refusal(const Evidence& evidence, Standing standing);

/// DNS could not say.
Rejection try_later(const Evidence& evidence);

}  // namespace relay::forward
