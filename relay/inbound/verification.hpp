// Begins the DNS lookups to verify a message.
#pragma once

#include "relay/inbound/open_message.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/resolver.hpp"

namespace relay::inbound {

/// Does nothing if mail is not verified here, or if the verification has begun already.
void begin_check(ports::Resolver& resolver, ports::Clock& clock, const OpenMessage& message);

}  // namespace relay::inbound
