// Alias text files: one `local: target, target` a line, `#` begins a comment.
#pragma once

#include <string>

#include "relay/settings/section.hpp"
#include "relay/settings/settings.hpp"

namespace relay::settings {

/// Adds the aliases of `content` to `domain`. Pipes, files and `:include:` of /etc/aliases are
/// errors with a hint: this program runs nothing and writes nowhere.
void read_alias_text(const std::string& path, const std::string& content, HostedDomain& domain,
                     Findings& findings);

}  // namespace relay::settings
