// The file of confirmed targets: an address or `@domain` a line, `#` begins a comment.
#pragma once

#include <cstddef>
#include <string>

#include "relay/settings/confirmed_targets.hpp"
#include "relay/settings/section.hpp"

namespace relay::settings {

inline constexpr std::size_t kMaxConfirmedLines = 2'000'000;

/// Adds the lines of `content` to `confirmed`. A last line without its end may be half an address,
/// which is another address: an error, as all that is neither address nor domain.
void read_confirmed_text(const std::string& path, const std::string& content,
                         ConfirmedTargets& confirmed, Findings& findings);

}  // namespace relay::settings
