// The operator's verbs, by the names that the control socket, the log and metrics use.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace relay::ops {

enum class Verb : std::uint8_t {
  Status,
  Reload,
  List,
  Show,
  Why,
  Retry,
  Hold,
  Release,
  Drop,
  Bounce,
  Pause,
  Resume,
};

inline constexpr std::array<std::string_view, 12> kVerbNames{
    "status",     "reload",        "queue.list", "queue.show",   "queue.why",   "queue.retry",
    "queue.hold", "queue.release", "queue.drop", "queue.bounce", "queue.pause", "queue.resume",
};

constexpr std::string_view name(Verb verb) { return kVerbNames[static_cast<std::size_t>(verb)]; }

constexpr std::optional<Verb> verb_named(std::string_view text) {
  const auto* const found = std::ranges::find(kVerbNames, text);
  if (found == kVerbNames.end()) return std::nullopt;
  return static_cast<Verb>(found - kVerbNames.begin());
}

}  // namespace relay::ops
