// The addresses that the configuration listens on.
#pragma once

#include <vector>

#include "relay/ports/stream.hpp"
#include "relay/settings/settings.hpp"

namespace relay::app {

/// Those of one listener.
std::vector<ports::Endpoint> endpoints_of(const settings::Listener& listener);

std::vector<ports::Endpoint> endpoints_of(const settings::Settings& settings);

}  // namespace relay::app
