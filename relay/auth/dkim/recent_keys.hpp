// The public keys used last, ready to verify: much of the mail of a day is signed by a few keys,
// and to open one costs as much as to use it. Says the same as PublicKey::parse, sooner.
#pragma once

#include <cstddef>
#include <expected>
#include <string_view>

#include "relay/auth/dkim/public_key.hpp"

namespace relay::auth::dkim {

/// What one thread remembers: at most some 8 KiB each.
inline constexpr std::size_t kMaxRecentKeys = 64;

/// As PublicKey::parse. A key is known by its octets: whoever publishes it, it is the same.
std::expected<PublicKey, KeyFault> recent_key(KeyType type, std::string_view octets);

}  // namespace relay::auth::dkim
