// Listening sockets that systemd opens for us, compared with the configuration.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "relay/ports/given_socket.hpp"

namespace relay::settings {
class Findings;
struct Settings;
}  // namespace relay::settings

namespace relay::app {

/// nullopt: unknown
using GivenSockets = std::optional<std::vector<ports::GivenSocket>>;

/// A [[listener]] without an address gets the addresses of the sockets; addresses that are
/// configured must be among them. A difference is an error, because we would wait for mail at an
/// address where none arrives.
void settle_listeners(settings::Settings& settings, const GivenSockets& given,
                      settings::Findings& findings);

/// The addresses of srs-relay.socket with its drop-ins, read from the folders of systemd below
/// `root`. nullopt: the unit is not enabled, or cannot be read.
GivenSockets sockets_of_unit(const std::filesystem::path& root);

}  // namespace relay::app
