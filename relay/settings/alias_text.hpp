// Alias text files. Each line is `local: target, target`, or `local: reject 550 5.1.6 moved`, or
// `local: discard`; `#` at the beginning or behind a blank begins a comment.
#pragma once

#include <string>
#include <string_view>

namespace relay::forward {
struct HostedDomain;
}

namespace relay::settings {

class Findings;

/// Adds the aliases of `content` to `domain`. Pipes, files and `:include:` of /etc/aliases are
/// errors with a hint: this program starts no other program, and delivers to no file.
void read_alias_text(const std::string& path, const std::string& content,
                     forward::HostedDomain& domain, Findings& findings);

/// What to write instead of a reference to a Postfix map ("hash:/etc/postfix/virtual"); "" when
/// `source` is none.
std::string instead_of_map(std::string_view source);

}  // namespace relay::settings
