// A request of the command line: one line of JSON on the control socket.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/ops/verb.hpp"
#include "relay/ops/views.hpp"

namespace relay::ops {

struct Request {
  Verb verb = Verb::Status;
  std::vector<std::string> words;  ///< filter words, or the target of a pause
  std::string reason;
  bool dry_run = false;
  bool content = false;   ///< show: the whole content
  bool text = false;      ///< text instead of JSON
  bool progress = false;  ///< report progress from time to time
  std::size_t limit = 10'000;
  std::optional<mail::CopyId> after;
  std::optional<std::chrono::milliseconds> span;  ///< how long a pause lasts
};

/// Refuses unknown fields and fields of a wrong type: ignoring one could widen the request.
Answer<Request> parse_request(std::string_view line);

}  // namespace relay::ops
