#include "relay/base/closest.hpp"

#include <algorithm>
#include <cstddef>

namespace relay::base {

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
    const std::size_t longer = std::max(wrong.size(), candidate.size());
    // Skips the table when the lengths alone differ too much: `wrong` may be long.
    if (longer - std::min(wrong.size(), candidate.size()) > kMaxEdits) continue;
    const std::size_t edits = distance(wrong, candidate);
    // Two edits are allowed from four letters on; in a shorter word they would make another word.
    if (edits < fewest && edits < longer / 2 + 1) {
      fewest = edits;
      best = candidate;
    }
  }
  return best;
}

}  // namespace relay::base
