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
  bool forbidden = false;  ///< the socket is there, and not for this user
};

/// A line of the answer as it came, and what it says.
using TakeLine = std::function<void(const std::string& line, const boost::json::object& object)>;

/// Sends one request and hands out the answer line by line as it comes (blocking; for the command
/// line only), without the closing line: its exit code is returned. `timeout` is for each wait, not
/// for the whole.
std::expected<int, ControlFailure> ask_daemon(const std::string& socket_path,
                                              const boost::json::object& request,
                                              std::chrono::seconds timeout, const TakeLine& take);

}  // namespace relay::app
