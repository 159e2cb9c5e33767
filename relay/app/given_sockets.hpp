// Listening sockets that systemd opens for us, and what the configuration says of them.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "relay/ports/stream.hpp"
#include "relay/settings/findings.hpp"
#include "relay/settings/settings.hpp"

namespace relay::app {

/// nullopt: nobody here knows which.
using GivenSockets = std::optional<std::vector<ports::Endpoint>>;

/// A [[listener]] without an address gets those of the sockets; addresses that it has must be the
/// same ones. The error is one of a start, for else mail would be waited for where none comes.
void settle_listeners(settings::Settings& settings, const GivenSockets& given,
                      settings::Findings& findings);

/// The addresses of srs-relay.socket, with its drop-ins, in the folders of systemd below `root`.
/// nullopt: it is not enabled, or cannot be read.
GivenSockets sockets_of_unit(const std::filesystem::path& root);

}  // namespace relay::app
