// Relaxed header canonicalisation (RFC 6376 §3.4.2).
#pragma once

#include <string>
#include <string_view>

namespace relay::auth {

/// "name:value" without CRLF: name in lower case, value unfolded, runs of white space made one
/// space, none at either end.
std::string relaxed_field(std::string_view name, std::string_view value);

}  // namespace relay::auth
