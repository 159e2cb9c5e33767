// What is wrong with a configuration, and where.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "relay/settings/place.hpp"

namespace relay::settings {

enum class ProblemCode : std::uint16_t {
  Syntax = 1,
  Duplicate = 2,
  File = 3,         ///< missing, unreadable, not a file
  Permissions = 4,  ///< a secret that others can read
  Type = 10,
  Value = 11,
  Missing = 12,
  UnknownKey = 21,
  Loop = 30,
  FanOut = 31,
  Secret = 40,
  Doubt = 50,  ///< it is valid, and hardly what was meant; see relay/review
};

struct Problem {
  Position at;
  ProblemCode code = ProblemCode::Syntax;
  std::string text;
  std::string hint;         ///< "did you mean …", or ""
  std::string source_line;  ///< as it stands in the file, or ""
  std::uint32_t width = 1;  ///< columns to underline
  /// Errors are what a start refuses, and nothing else: a host that works must start again after a
  /// reboot.
  bool warning = false;
  std::string check = {};  ///< the name of the check in relay/review that found it, or ""
};

/// file:line:column: error[E021]: text, then the source line and a caret line where known.
std::string render(const Problem& problem);

/// The same on one line, with the hint behind it.
std::string render_line(const Problem& problem);

}  // namespace relay::settings
