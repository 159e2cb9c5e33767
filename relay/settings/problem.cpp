#include "relay/settings/problem.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace relay::settings {

namespace {

constexpr std::size_t kMaxEdits = 2;

/// Damerau–Levenshtein distance with adjacent transpositions.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::string closest(std::string_view wrong, const std::vector<std::string>& known) {
  std::string best;
  std::size_t fewest = kMaxEdits + 1;
  for (const std::string& candidate : known) {
    const std::size_t edits = distance(wrong, candidate);
    // Three letters with two edits are another word.
    if (edits < fewest && edits < std::max(wrong.size(), candidate.size()) / 2 + 1) {
      fewest = edits;
      best = candidate;
    }
  }
  return best;
}

std::string render(const Problem& problem) {
  std::string out = problem.at.file;
  if (problem.at.line > 0) out += fmt::format(":{}:{}", problem.at.line, problem.at.column);
  out += fmt::format(": {}[E{:03}]: {}", problem.warning ? "warning" : "error",
                     static_cast<unsigned>(problem.code), problem.text);
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

}  // namespace relay::settings
