// Problems of a configuration, with their positions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "relay/base/source_place.hpp"

namespace relay::settings {

enum class ProblemCode : std::uint16_t;  // problem_code.hpp

struct Problem {
  base::SourcePosition at;
  ProblemCode code{};
  std::string text;
  std::string hint;         ///< "did you mean …", or ""
  std::string source_line;  ///< as in the file, or ""
  std::uint32_t width = 1;  ///< columns to underline
  /// True: a start accepts the configuration in spite of it, because a host that works must start
  /// again after a reboot.
  bool warning = false;
  std::string check = {};  ///< the name of the check in relay/review that found it, or ""
};

/// file:line:column: error[E021]: text; then, where known, the source line and a line with carets.
std::string render(const Problem& problem);

/// As render(), on one line, with the hint at its end.
std::string render_line(const Problem& problem);

}  // namespace relay::settings
