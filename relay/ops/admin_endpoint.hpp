// The control socket: the request is one line of JSON, the answer one or more lines.
//
// Request:  {"v":1,"verb":"queue.hold","filter":["to:x.example"],"reason":"…","dry_run":false}
// Answer:   any number of result objects, or {"v":1,"error":"…"}; then {"v":1,"exit":0} with the
//           exit code for the shell (exit_code.hpp). With "format":"text" the results are
//           {"v":1,"text":"…"}, to be printed as they are. With "progress":true a long change sends
//           {"v":1,"progress":12000} from time to time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "relay/ops/desk.hpp"
#include "relay/ports/stream.hpp"

namespace relay::ops {

/// Receives the lines of an answer, page by page.
class AnswerSink {
 public:
  virtual ~AnswerSink() = default;

  /// False: the reader is gone.
  virtual base::Task<bool> take(std::string lines) = 0;
};

class AdminEndpoint {
 public:
  explicit AdminEndpoint(Desk& desk) : desk_(desk) {}

  /// Serves one connection: one request and its answer. The reader has 30 seconds to take each
  /// page, so that a slow one delays only its own answer.
  base::Task<> serve(std::unique_ptr<ports::Stream> stream);

  /// Answers one request line. Never throws because of its content.
  base::Task<> answer(std::string request, Asker asker, AnswerSink& sink);

 private:
  Desk& desk_;
};

}  // namespace relay::ops
