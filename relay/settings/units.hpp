// Durations, sizes and rates as people write them. Numbers without a unit are refused, because
// readers forget which unit is meant.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "relay/base/quantity.hpp"
#include "relay/base/rate_table.hpp"

namespace relay::settings {

using base::parse_duration;

/// "500B", "64KiB", "50MiB", "1GiB", "1TiB".
std::expected<std::uint64_t, std::string> parse_size(std::string_view text);

/// Parses "5/s", "60/min", "600/h", "1000/d", "200/10s". "0/h" is valid; the caller decides what it
/// means.
std::expected<base::Rate, std::string> parse_rate(std::string_view text);

/// Parses answers of a DNS list, "127.0.0.2" or "127.0.0.2-11": first and last, in host byte order.
std::expected<std::pair<std::uint32_t, std::uint32_t>, std::string> parse_list_answers(
    std::string_view text);

}  // namespace relay::settings
