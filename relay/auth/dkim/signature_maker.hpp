// Makes DKIM-Signature fields (RFC 6376 §3.5): relaxed/relaxed, never with l=, what a reader sees
// oversigned.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/auth/dkim/private_key.hpp"
#include "relay/mail/header.hpp"

namespace relay::auth::dkim {

struct SignatureRequest {
  std::string domain;                             ///< d=
  std::string selector;                           ///< s=
  std::string_view body_hash;                     ///< 32 octets
  std::int64_t now_unix = 0;                      ///< t=
  std::optional<std::int64_t> expires_unix = {};  ///< x=, after t=; nullopt: never
  const std::vector<mail::HeaderField>& fields;   ///< of the message, topmost first
};

/// The field with its CRLF, folded; same input, same octets. "" when the key cannot sign.
std::string make_signature_field(const SignatureRequest& request, const PrivateKey& key);

/// Names to sign, in the order of h=: each name as often as it occurs. Those a reader or a parser
/// goes by stand once more, occurring or not, so that nobody can put one on top.
std::vector<std::string> signed_names(const std::vector<mail::HeaderField>& fields);

}  // namespace relay::auth::dkim
