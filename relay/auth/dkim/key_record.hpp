// Parses a key record (RFC 6376 §3.6.1, RFC 8463 §4), which the owner of a selector publishes. The
// key itself is not parsed here, but in public_key.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "relay/auth/dkim/algorithm.hpp"

namespace relay::auth::dkim {

/// Enough for an RSA key of 4096 bits in base64 with white space. Longer texts are not decoded,
/// because a TXT record can have 64 KiB.
inline constexpr std::size_t kMaxKeyText = 4096;

struct KeyRecord {
  KeyType type = KeyType::Rsa;    ///< k=
  std::string key;                ///< p= decoded; "" when the key is revoked
  bool for_sha256 = true;         ///< h= is absent or names it
  bool for_email = true;          ///< s= is absent or names email or "*"
  bool testing = false;           ///< t=y
  bool same_domain_only = false;  ///< t=s: the domain of i= must be d=, not one below it

  bool revoked() const { return key.empty(); }

  friend bool operator==(const KeyRecord&, const KeyRecord&) = default;
};

enum class KeyRecordError : std::uint8_t {
  BadTagList,
  WrongVersion,    ///< v= is not "DKIM1", or not the first tag
  NoKey,           ///< p= is missing
  LongKey,         ///< p= has over kMaxKeyText octets
  BadKey,          ///< p= is not base64
  UnknownKeyType,  ///< k= is neither rsa nor ed25519
};

std::string_view describe(KeyRecordError error);

/// Parses one TXT record. n=, g= (removed by RFC 6376) and unknown tags are ignored.
std::expected<KeyRecord, KeyRecordError> parse_key_record(std::string_view text);

}  // namespace relay::auth::dkim
