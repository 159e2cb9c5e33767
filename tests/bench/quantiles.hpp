// Latencies of messages, as the load generator and the sink print them, and the field that tells
// the sink when a message was sent.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace relay::bench {

/// Its value is the time of the monotonic clock at the dot, in ns: the same clock in all programs.
inline constexpr std::string_view kSentField = "X-Load-Sent:";

/// JSON; sorts the values.
inline std::string quantiles(std::vector<double>& values) {
  if (values.empty()) return "null";
  std::ranges::sort(values);
  const auto at = [&values](double share) {
    return values[std::min(values.size() - 1,
                           static_cast<std::size_t>(share * static_cast<double>(values.size())))];
  };
  return fmt::format(
      "{{\"p50\": {:.3f}, \"p90\": {:.3f}, \"p99\": {:.3f}, \"p999\": {:.3f}, \"max\": {:.3f}}}",
      at(0.5), at(0.9), at(0.99), at(0.999), values.back());
}

}  // namespace relay::bench
