// A cache of parsed public keys: a few keys sign much of the mail, and parsing a key costs as much
// as verifying with it. Returns the same as PublicKey::parse.
#pragma once

#include <cstddef>
#include <expected>
#include <string_view>

#include "relay/auth/dkim/public_key.hpp"

namespace relay::auth::dkim {

/// Keys cached per thread, with at most some 8 KiB each.
inline constexpr std::size_t kMaxRecentKeys = 64;

/// Like PublicKey::parse. The cache key is the octets of the key, whatever domain publishes it.
std::expected<PublicKey, KeyFault> recent_key(KeyType type, std::string_view octets);

}  // namespace relay::auth::dkim
