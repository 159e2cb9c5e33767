#pragma once

#include <string>

namespace relay::app {

/// `srs-relay serve`: runs until SIGTERM or SIGINT; SIGHUP reloads. Returns the exit code.
int serve(const std::string& config_path);

}  // namespace relay::app
