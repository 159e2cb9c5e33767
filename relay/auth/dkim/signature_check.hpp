// Checks one signature against the key records of its selector (RFC 6376 §6.1.2, §6.1.3): whether
// the key may be used for it, and whether it verifies. For DKIM and ARC. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "relay/auth/dkim/algorithm.hpp"
#include "relay/auth/dkim/key_record.hpp"
#include "relay/auth/dkim/signature_field.hpp"
#include "relay/mail/authentication.hpp"

namespace relay::auth::dkim {

/// SHA-256 of what a DKIM-Signature covers (§3.7): the fields of h=, then the signature itself
/// without b=. `own` is the field that `tags` were parsed from; it may be one of the header's
/// fields.
std::string signed_header_hash(const SignableHeader& header, const mail::HeaderField& own,
                               const SignatureField& tags);

struct SignedHash {
  KeyType key_type = KeyType::Rsa;  ///< of a=
  std::string_view header_hash;     ///< 32 octets
  std::string_view signature;
  bool below_domain = false;  ///< the domain of i= is below d=; keys with t=s forbid that
};

struct SignatureCheck {
  mail::DkimResult result = mail::DkimResult::PermError;  ///< Pass, Fail or PermError
  std::uint16_t key_bits = 0;                             ///< of the key that decided
  bool testing = false;                                   ///< t=y of its record
  std::string_view problem;                               ///< why the result is not Pass
};

/// Tries the records until one verifies. If none does, returns the result for the first.
SignatureCheck check_signature(const std::vector<KeyRecord>& records, const SignedHash& hash);

}  // namespace relay::auth::dkim
