#include "relay/ops/relative_time.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

namespace relay::ops {

std::string span_text(std::chrono::milliseconds span, int parts) {
  constexpr std::array<std::pair<std::int64_t, char>, 4> kUnits{
      {{86'400, 'd'}, {3'600, 'h'}, {60, 'm'}, {1, 's'}}};
  std::int64_t rest =
      std::max<std::int64_t>(0, std::chrono::floor<std::chrono::seconds>(span).count());
  std::string out;
  for (const auto& [seconds, unit] : kUnits) {
    if (parts == 0) break;
    const std::int64_t count = rest / seconds;
    rest %= seconds;
    if (count > 0) out += fmt::format("{}{} {}", out.empty() ? "" : " ", count, unit);
    // After the first unit that is not zero, units that are zero count as well.
    if (!out.empty()) --parts;
  }
  return out.empty() ? "0 s" : out;
}

std::string ago(base::WallTime now, base::WallTime then, int parts) {
  return span_text(now - then, parts) + " ago";
}

std::string until(base::WallTime now, base::WallTime then, int parts) {
  return then <= now ? "now" : "in " + span_text(then - now, parts);
}

}  // namespace relay::ops
