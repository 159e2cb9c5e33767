// The file of confirmed targets: each line an address or `@domain`; `#` begins a comment.
#pragma once

#include <cstddef>
#include <string>

#include "relay/forward/confirmed_targets.hpp"

namespace relay::settings {

class Findings;

inline constexpr std::size_t kMaxConfirmedLines = 2'000'000;

/// Adds the lines of `content` to `confirmed`. An error: a line that is neither address nor domain;
/// and a last line without line feed, which may be cut off, and so name another address.
void read_confirmed_text(const std::string& path, const std::string& content,
                         forward::ConfirmedTargets& confirmed, Findings& findings);

}  // namespace relay::settings
