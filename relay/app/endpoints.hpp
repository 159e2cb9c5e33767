// The addresses that the configuration listens on.
#pragma once

#include <span>
#include <vector>

#include "relay/ports/stream.hpp"

namespace relay::settings {
struct Listener;
}

namespace relay::app {

/// Those of one listener, to open or to find open.
std::vector<ports::Endpoint> endpoints_of(const settings::Listener& listener);

/// Those where connections to one listener arrive: also 0.0.0.0 where the socket for "::" takes
/// IPv4, because such a connection has an IPv4 address at our end.
std::vector<ports::Endpoint> reached_endpoints_of(const settings::Listener& listener);

std::vector<ports::Endpoint> endpoints_of(const std::vector<settings::Listener>& listeners);

bool contains(std::span<const ports::Endpoint> all, const ports::Endpoint& one);

}  // namespace relay::app
