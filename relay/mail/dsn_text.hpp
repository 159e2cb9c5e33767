// Untrusted text made fit for a DSN: one line, 7-bit, bounded, private addresses masked.
#pragma once

#include <string>
#include <string_view>

namespace relay::mail {

/// Printable ASCII on one line; everything else becomes "?"; at most `limit` octets.
std::string plain_line(std::string_view text, std::size_t limit);

/// Replaces every occurrence of `secret` (without case) by `shown`.
std::string masked(std::string text, std::string_view secret, std::string_view shown);

/// Breaks at spaces into lines of at most 76 octets, each after the first begun with `indent`.
std::string wrapped(std::string_view text, std::string_view indent);

}  // namespace relay::mail
