// One signature against the key records of its selector (RFC 6376 §6.1.2, §6.1.3): may the key be
// used for it, and does it verify? The same for DKIM and ARC. Pure.
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

/// SHA-256 of what a DKIM-Signature covers (§3.7): the fields of h=, then itself without b=. `own`
/// is the field that `tags` were read from; it may be one of the header's.
std::string signed_header_hash(const SignableHeader& header, const mail::HeaderField& own,
                               const SignatureField& tags);

struct SignedHash {
  KeyType key_type = KeyType::Rsa;  ///< of a=
  std::string_view header_hash;     ///< 32 octets
  std::string_view signature;
  bool below_domain = false;  ///< the domain of i= is below d=, which t=s of a key forbids
};

struct SignatureCheck {
  mail::DkimResult result = mail::DkimResult::PermError;  ///< Pass, Fail or PermError
  std::uint16_t key_bits = 0;                             ///< of the key that decided
  bool testing = false;                                   ///< t=y of its record
  std::string_view problem;                               ///< why not Pass
};

/// Goes through the records until one verifies. When none does: what was wrong with the first.
SignatureCheck check_signature(const std::vector<KeyRecord>& records, const SignedHash& hash);

}  // namespace relay::auth::dkim
