// The verbs an operator can send to the running daemon: one JSON request line in, JSON lines out.
//
// Request:  {"v":1,"verb":"queue.hold","filter":["to:x.example"],"reason":"…","dry_run":false}
// Response: any number of result objects, then {"v":1,"exit":0} with the exit code for the shell
//           (operator.md: 0 ok, 1 negative answer, 2 usage, 4 config invalid, 5 not found).
#pragma once

#include <memory>
#include <string>

#include <boost/json/object.hpp>

#include "relay/ops/controls.hpp"
#include "relay/ports/stream.hpp"

namespace relay::ops {

class AdminEndpoint {
 public:
  explicit AdminEndpoint(Controls controls) : controls_(std::move(controls)) {}

  /// Serves one connection of the control socket: one request, its answer, end.
  base::Task<> serve(std::unique_ptr<ports::Stream> stream);

  /// One request line to its response lines (each ending in LF). Never throws on input.
  base::Task<std::string> answer(std::string request);

 private:
  base::Task<std::string> dispatch(std::string verb, boost::json::object request);
  base::Task<std::string> list(ports::QueueFilter filter);
  base::Task<std::string> show(std::string verb, ports::QueueFilter filter);
  base::Task<std::string> change(std::string verb, ports::QueueFilter filter,
                                 boost::json::object request);
  base::Task<std::string> status();
  std::string reload();
  void audit(const std::string& verb, const boost::json::object& request, std::uint64_t changed);

  Controls controls_;
};

}  // namespace relay::ops
