// The value of a DKIM-Signature field as typed tags (RFC 6376 §3.5). Strict: what a signer must not
// write is an error, and an error is never a pass. Looks up nothing and verifies nothing.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/auth/dkim/algorithm.hpp"
#include "relay/auth/dkim/canonical.hpp"
#include "relay/auth/dkim/tag_list.hpp"
#include "relay/mail/authentication.hpp"

namespace relay::auth::dkim {

struct SignatureField {
  KeyType key_type = KeyType::Rsa;         ///< a=
  std::string signature;                   ///< b=, decoded
  std::string body_hash;                   ///< bh=, decoded, 32 octets
  Canon header_canon = Canon::Simple;      ///< c=
  Canon body_canon = Canon::Simple;        ///< c=
  std::string domain;                      ///< d=, folded
  std::string selector;                    ///< s=, folded
  std::string identity_domain;             ///< of i=, folded: d= or below it
  std::vector<std::string> signed_names;   ///< h=, with their case
  std::optional<std::uint64_t> length;     ///< l=
  std::optional<std::int64_t> signed_at;   ///< t=, Unix time
  std::optional<std::int64_t> expires_at;  ///< x=, Unix time
};

enum class SignatureError : std::uint8_t {
  BadTagList,
  MissingTag,         ///< one of v a b bh d h s
  UnknownVersion,     ///< v= is not "1"
  UnknownAlgorithm,   ///< a=
  HistoricAlgorithm,  ///< a=rsa-sha1, which has failed for good (RFC 8301 §3.1)
  BadBase64,          ///< b= or bh=
  BadBodyHash,        ///< bh= is not 32 octets
  BadCanonicalization,
  BadDomain,        ///< d=
  BadSelector,      ///< s=
  BadSignedNames,   ///< h= is no list of field names
  FromNotSigned,    ///< h= lacks From (§5.4)
  BadIdentity,      ///< i=
  IdentityOutside,  ///< i= is neither d= nor below it
  BadNumber,        ///< l=, t= or x=
  ExpiresTooSoon,   ///< x= is not after t=
  UnknownQuery,     ///< q= does not offer dns/txt
};

/// A line without anything of the field. Every error is what RFC 6376 §6.1 calls PERMFAIL.
std::string_view describe(SignatureError error);

/// z= and tags unknown to us are ignored, as §3.5 and §3.2 ask.
std::expected<SignatureField, SignatureError> parse_signature_field(std::string_view value);

/// What Authentication-Results may say of a signature, as far as it can be read: d=, s=, i=, a= and
/// the head of b=. What is no domain, selector, algorithm name or base64 stays "".
mail::DkimVerdict describe_field(std::string_view value);

}  // namespace relay::auth::dkim
