// The text of a key record (RFC 6376 §3.6.1, RFC 8463 §4): what the owner of a selector publishes.
// Looks into no key: public_key.hpp does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "relay/auth/dkim/algorithm.hpp"

namespace relay::auth::dkim {

/// More than an RSA key of 4096 bits takes as base64, white space included; a longer one is not
/// even decoded, for a TXT record may have 64 KiB.
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

/// Of one TXT record. n= and tags unknown to us are ignored; g= as well, which RFC 6376 took back.
std::expected<KeyRecord, KeyRecordError> parse_key_record(std::string_view text);

}  // namespace relay::auth::dkim
