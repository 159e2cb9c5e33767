// Amounts as people write them: a number with its unit. Bare numbers are refused: nobody remembers
// the unit.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace relay::base {

/// The name of a unit, and how many of the smallest it is.
using Unit = std::pair<std::string_view, std::uint64_t>;

/// One number, one unit. `example` ends the sentence "expected …" of the error.
std::expected<std::uint64_t, std::string> parse_quantity(std::string_view text,
                                                         std::span<const Unit> units,
                                                         std::string_view example);

/// "90s", "5m", "4h", "21d", "2w". The error is a sentence.
std::expected<std::chrono::seconds, std::string> parse_duration(std::string_view text);

}  // namespace relay::base
