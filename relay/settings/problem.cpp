#include "relay/settings/problem.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace relay::settings {

namespace {

std::string head_of(const Problem& problem) {
  std::string out = problem.at.file;
  if (problem.at.line > 0) out += fmt::format(":{}:{}", problem.at.line, problem.at.column);
  return out + fmt::format(": {}[E{:03}]: {}", problem.warning ? "warning" : "error",
                           static_cast<unsigned>(problem.code), problem.text);
}

}  // namespace

std::string render(const Problem& problem) {
  std::string out = head_of(problem);
  if (!problem.source_line.empty()) {
    const std::string number = fmt::format("{:4}", problem.at.line);
    const std::uint32_t column = std::max(problem.at.column, 1U);
    out += fmt::format("\n{} | {}\n     | {}{}", number, problem.source_line,
                       std::string(column - 1, ' '), std::string(std::max(problem.width, 1U), '^'));
    if (!problem.hint.empty()) out += ' ' + problem.hint;
  } else if (!problem.hint.empty()) {
    out += " (" + problem.hint + ')';
  }
  return out;
}

std::string render_line(const Problem& problem) {
  return head_of(problem) + (problem.hint.empty() ? "" : " (" + problem.hint + ')');
}

}  // namespace relay::settings
