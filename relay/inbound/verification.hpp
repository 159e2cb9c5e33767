// Begins to look up what can be known about a message.
#pragma once

#include "relay/inbound/open_message.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/resolver.hpp"

namespace relay::inbound {

/// Nothing happens where incoming mail is not verified, or its verification has begun.
void begin_check(ports::Resolver& resolver, ports::Clock& clock, const OpenMessage& message);

}  // namespace relay::inbound
