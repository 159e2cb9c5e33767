// The command line's side of the control socket.
#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <string>

#include <boost/json/object.hpp>

namespace relay::app {

/// Why there is no answer: a sentence that names the socket.
struct ControlFailure {
  std::string text;
  bool forbidden = false;  ///< the socket exists, but this user may not use it
};

/// Receives each line of the answer, as text and parsed.
using TakeLine = std::function<void(const std::string& line, const boost::json::object& object)>;

/// Sends one request and passes on the answer line by line as it comes. The closing line is not
/// passed on: its exit code is returned. Blocking; for the command line only. `timeout` applies to
/// each wait, not to the whole.
std::expected<int, ControlFailure> ask_daemon(const std::string& socket_path,
                                              const boost::json::object& request,
                                              std::chrono::seconds timeout, const TakeLine& take);

}  // namespace relay::app
