// Base64 as it stands in tags (RFC 4648 §4, RFC 6376 §2.10).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace relay::auth::dkim {

/// Without line breaks.
std::string base64(std::string_view octets);

/// White space is ignored wherever it stands; anything else outside the alphabet, wrong padding or
/// an empty text is nullopt.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace relay::auth::dkim
