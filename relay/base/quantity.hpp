// Amounts as people write them: a number with its unit. Numbers without a unit are refused, because
// readers forget which unit is meant.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace relay::base {

/// The name of a unit, and how many of the smallest unit it is.
using Unit = std::pair<std::string_view, std::uint64_t>;

/// Parses one number with one unit. `example` completes the error text "expected …".
std::expected<std::uint64_t, std::string> parse_quantity(std::string_view text,
                                                         std::span<const Unit> units,
                                                         std::string_view example);

/// "90s", "5m", "4h", "21d", "2w". The error is a sentence.
std::expected<std::chrono::seconds, std::string> parse_duration(std::string_view text);

}  // namespace relay::base
