// Problems of a configuration, with their positions.
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
  File = 3,         ///< missing, unreadable, or not a regular file
  Permissions = 4,  ///< others can read a secret, or change a file
  Type = 10,
  Value = 11,
  Missing = 12,
  UnknownKey = 21,
  Loop = 30,
  FanOut = 31,
  Secret = 40,
  Doubt = 50,  ///< valid, but hardly intended; see relay/review
};

struct Problem {
  Position at;
  ProblemCode code = ProblemCode::Syntax;
  std::string text;
  std::string hint;         ///< "did you mean …", or ""
  std::string source_line;  ///< as in the file, or ""
  std::uint32_t width = 1;  ///< columns to underline
  /// True unless a start refuses the configuration because of it: a host that works must start
  /// again after a reboot.
  bool warning = false;
  std::string check = {};  ///< the name of the check in relay/review that found it, or ""
};

/// file:line:column: error[E021]: text; then, where known, the source line and a line with carets.
std::string render(const Problem& problem);

/// As render(), on one line, with the hint at its end.
std::string render_line(const Problem& problem);

}  // namespace relay::settings
