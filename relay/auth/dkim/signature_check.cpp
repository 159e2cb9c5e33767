#include "relay/auth/dkim/signature_check.hpp"

#include <optional>

#include "relay/auth/dkim/recent_keys.hpp"
#include "relay/base/sha256.hpp"

namespace relay::auth::dkim {

namespace {

using mail::DkimResult;

/// Why this key must not be used for this signature; "" when it may (§6.1.2 steps 5 to 9).
std::string_view objection(const KeyRecord& record, const SignedHash& hash) {
  if (record.type != hash.key_type) return "key of another algorithm";
  if (!record.for_sha256) return "key is not for sha256";
  if (!record.for_email) return "key is not for mail";
  if (record.same_domain_only && hash.below_domain) return "key is for identities of d= alone";
  return {};
}

SignatureCheck check_with(const KeyRecord& record, const SignedHash& hash) {
  SignatureCheck check{.testing = record.testing, .problem = objection(record, hash)};
  if (!check.problem.empty()) return check;
  const auto key = recent_key(record.type, record.key);
  if (!key) {
    check.problem = describe(key.error());
    return check;
  }
  check.key_bits = key->bits();
  if (key->verify_hash(hash.header_hash, hash.signature)) {
    check.result = DkimResult::Pass;
  } else {
    check.result = DkimResult::Fail;
    check.problem = "signature did not verify";
  }
  return check;
}

}  // namespace

std::string signed_header_hash(const SignableHeader& header, const mail::HeaderField& own,
                               const SignatureField& tags) {
  return base::sha256(header.canonical(tags.signed_names, tags.header_canon, &own) +
                      canonical_signature_field(own, tags.header_canon));
}

SignatureCheck check_signature(const std::vector<KeyRecord>& records, const SignedHash& hash) {
  std::optional<SignatureCheck> first;
  for (const KeyRecord& record : records) {
    const SignatureCheck check = check_with(record, hash);
    if (check.result == DkimResult::Pass) return check;
    if (!first) first = check;
  }
  return first.value_or(SignatureCheck{.problem = "no key record"});
}

}  // namespace relay::auth::dkim
