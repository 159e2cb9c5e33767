// The command line's side of the control socket.
#pragma once

#include <chrono>
#include <expected>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

namespace relay::app {

struct ControlAnswer {
  std::vector<boost::json::object> objects;  ///< results, without the closing line
  std::vector<std::string> lines;            ///< the same as they came, for --json
  int exit = 0;                              ///< exit code the daemon asks for
};

/// Sends one request and reads the whole answer (blocking; for the command line only).
/// The error is a sentence that names the socket.
std::expected<ControlAnswer, std::string> ask_daemon(const std::string& socket_path,
                                                     const boost::json::object& request,
                                                     std::chrono::seconds timeout);

}  // namespace relay::app
