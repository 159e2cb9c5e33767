// Base64 in tag values (RFC 4648 §4, RFC 6376 §2.10).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace relay::auth::dkim {

/// Without line breaks.
std::string base64(std::string_view octets);

/// White space is ignored anywhere. nullopt: another octet outside the alphabet, wrong padding, or
/// an empty text.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace relay::auth::dkim
