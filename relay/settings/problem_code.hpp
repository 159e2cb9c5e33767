// The kinds of problems a configuration can have; the numbers are those that `check` prints.
#pragma once

#include <cstdint>

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

}  // namespace relay::settings
