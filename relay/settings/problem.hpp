// What is wrong with a configuration, and where.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

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
};

struct Position {
  std::string file;
  std::uint32_t line = 0;  ///< from 1; 0: the file as a whole
  std::uint32_t column = 0;
};

struct Problem {
  Position at;
  ProblemCode code = ProblemCode::Syntax;
  std::string text;
  std::string hint;         ///< "did you mean …", or ""
  std::string source_line;  ///< as it stands in the file, or ""
  std::uint32_t width = 1;  ///< columns to underline
  bool warning = false;
};

/// file:line:column: error[E021]: text, then the source line and a caret line where known.
std::string render(const Problem& problem);

}  // namespace relay::settings
