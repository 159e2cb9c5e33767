// Where the daemon of a configuration listens for the command line, whatever else is wrong with it.
#pragma once

#include <string>

namespace relay::settings {

struct ControlSocket {
  std::string path;
  std::string reason;  ///< in words, why it is this one
};

/// Reads `[control] socket` and nothing else, of the file or one that it includes: the rest may be
/// no TOML at all, and no secret is looked at. Where no file says it, or none can be read, it is
/// the default.
ControlSocket find_control_socket(const std::string& config_path);

}  // namespace relay::settings
