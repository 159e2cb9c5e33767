#pragma once

#include <string>

#include "relay/app/seams.hpp"

namespace relay::app {

/// `srs-relay serve`: runs until SIGTERM or SIGINT; SIGHUP reloads. Returns the exit code.
int serve(const std::string& config_path, const Seams& seams);

}  // namespace relay::app
