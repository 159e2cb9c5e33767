// Parses a DKIM-Signature value into typed tags (RFC 6376 §3.5). Strict: anything that a signer
// must not write is an error, and an error is never a pass. No lookups, no verification.
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
  std::vector<std::string> signed_names;   ///< h=, case kept
  std::optional<std::uint64_t> length;     ///< l=
  std::optional<std::int64_t> signed_at;   ///< t=, Unix time
  std::optional<std::int64_t> expires_at;  ///< x=, Unix time
};

enum class SignatureError : std::uint8_t {
  BadTagList,
  MissingTag,         ///< one of v a b bh d h s
  UnknownVersion,     ///< v= is not "1"
  UnknownAlgorithm,   ///< a=
  HistoricAlgorithm,  ///< a=rsa-sha1, a permanent failure (RFC 8301 §3.1)
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

/// One line that contains nothing of the field. Every error is a PERMFAIL of RFC 6376 §6.1.
std::string_view describe(SignatureError error);

/// z= and unknown tags are ignored (§3.5, §3.2).
std::expected<SignatureField, SignatureError> parse_signature_field(std::string_view value);

/// The readable parts of a signature for Authentication-Results: d=, s=, i=, a= and the head of b=.
/// A part that is no domain, selector, identity, algorithm name or base64 stays "".
mail::DkimVerdict describe_field(std::string_view value);

}  // namespace relay::auth::dkim
