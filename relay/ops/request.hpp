// What the command line asks: one line of JSON on the control socket.
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
  std::vector<std::string> words;  ///< of the filter, or what a pause is about
  std::string reason;
  bool dry_run = false;
  bool content = false;   ///< show: all of it
  bool text = false;      ///< for people, instead of JSON
  bool progress = false;  ///< says now and then how far a change has come
  std::size_t limit = 10'000;
  std::optional<mail::CopyId> after;
  std::optional<std::chrono::milliseconds> span;  ///< of a pause
};

/// A field that is unknown, or not of its type, is refused: to leave it out could widen what is
/// asked for.
Answer<Request> parse_request(std::string_view line);

}  // namespace relay::ops
