// Makes DKIM-Signature fields (RFC 6376 §3.5): relaxed/relaxed, without l=. Fields that readers see
// are oversigned, so that no second one can be added.
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

/// The folded field with its CRLF; the same input gives the same octets. "" if the key cannot sign.
std::string make_signature_field(const SignatureRequest& request, const PrivateKey& key);

/// Names for h=, in order, each as often as the field occurs. Names that readers or parsers rely on
/// are listed once more, even if they do not occur, so that nobody can add such a field.
std::vector<std::string> signed_names(const std::vector<mail::HeaderField>& fields);

}  // namespace relay::auth::dkim
