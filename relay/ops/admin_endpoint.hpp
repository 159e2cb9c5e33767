// The control socket: one request in a line of JSON, the answer in as many lines as it takes.
//
// Request:  {"v":1,"verb":"queue.hold","filter":["to:x.example"],"reason":"…","dry_run":false}
// Answer:   any number of result objects, or {"v":1,"error":"…"}; then {"v":1,"exit":0} with the
//           exit code for the shell (exit_code.hpp). With "format":"text" the results are
//           {"v":1,"text":"…"}, to be printed as they are. With "progress":true a change that takes
//           long says {"v":1,"progress":12000} from time to time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "relay/ops/desk.hpp"
#include "relay/ports/stream.hpp"

namespace relay::ops {

/// Where the lines of an answer go, page by page.
class AnswerSink {
 public:
  virtual ~AnswerSink() = default;

  /// False: nobody reads any more.
  virtual base::Task<bool> take(std::string lines) = 0;
};

class AdminEndpoint {
 public:
  explicit AdminEndpoint(Desk& desk) : desk_(desk) {}

  /// Serves one connection: one request, its answer, end. Each page has 30 seconds to be taken, so
  /// a slow reader holds up nothing but its own answer.
  base::Task<> serve(std::unique_ptr<ports::Stream> stream);

  /// Answers one request line; Never throws on input.
  base::Task<> answer(std::string request, Asker asker, AnswerSink& sink);

 private:
  Desk& desk_;
};

}  // namespace relay::ops
