// TOML text to a table. No text, however malformed, can end the process.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "relay/settings/problem.hpp"
#include "relay/settings/toml.hpp"

namespace relay::settings {

/// `path`: for positions. The problem has its place, code and text, and no source line.
std::expected<toml::table, Problem> parse_toml(std::string_view text, const std::string& path);

}  // namespace relay::settings
