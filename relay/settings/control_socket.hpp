// Finds the socket on which the daemon of a configuration accepts commands, even when the
// configuration is otherwise broken.
#pragma once

#include <string>

namespace relay::settings {

struct ControlSocket {
  std::string path;
  std::string reason;  ///< why it is this one, in words
};

/// Reads only `[control] socket`, from the file or from one that it includes: the rest need not be
/// TOML, and no secret is read. The default, when no file names a socket or none can be read.
ControlSocket find_control_socket(const std::string& config_path);

}  // namespace relay::settings
