// Durations and sizes as people write them. Bare numbers are refused: nobody remembers the unit.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace relay::settings {

/// "90s", "5m", "4h", "21d", "2w"; one number, one unit. The error is a sentence.
std::expected<std::chrono::seconds, std::string> parse_duration(std::string_view text);

/// "500B", "64KiB", "50MiB", "1GiB", "1TiB".
std::expected<std::uint64_t, std::string> parse_size(std::string_view text);

/// "60/min", "5/s", "1000/h": how many, and the time they are counted over.
std::expected<std::pair<std::uint32_t, std::chrono::seconds>, std::string> parse_rate(
    std::string_view text);

}  // namespace relay::settings
