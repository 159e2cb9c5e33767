#include "relay/base/quantity.hpp"

#include <array>
#include <charconv>
#include <cstddef>
#include <limits>

namespace relay::base {

std::expected<std::uint64_t, std::string> parse_quantity(std::string_view text,
                                                         std::span<const Unit> units,
                                                         std::string_view example) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (error == std::errc() && end != text.data()) {
    for (const auto& [name, factor] : units) {
      if (unit != name) continue;
      if (number > std::numeric_limits<std::int64_t>::max() / factor) {
        return std::unexpected(std::string("too large"));
      }
      return number * factor;
    }
  }
  return std::unexpected("expected " + std::string(example) + ", not \"" + std::string(text) + '"');
}

std::expected<std::chrono::seconds, std::string> parse_duration(std::string_view text) {
  static constexpr std::array<Unit, 5> kUnits = {
      {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86'400}, {"w", 604'800}}};
  const auto number =
      parse_quantity(text, kUnits, R"(a duration such as "30s", "5m", "4h" or "5d")");
  if (!number) return std::unexpected(number.error());
  return std::chrono::seconds(static_cast<std::int64_t>(*number));
}

}  // namespace relay::base
