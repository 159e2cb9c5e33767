// Makes our ARC set (RFC 8617 §5.1): what we found, a signature over the message as it leaves, and
// a seal over the chain. Deterministic: the same input gives the same octets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/auth/arc/chain.hpp"
#include "relay/auth/dkim/private_key.hpp"
#include "relay/mail/authentication.hpp"
#include "relay/mail/header.hpp"

namespace relay::auth::arc {

/// The key that seals. Its domain may be aligned with From, unlike that of a DKIM signature,
/// because an ARC seal is not an authenticated identifier of DMARC and cannot make it pass.
struct SealingKey {
  std::string domain;    ///< d=
  std::string selector;  ///< s=
  dkim::PrivateKey key;
};

struct SealOrder {
  std::string_view results;  ///< value of an Authentication-Results field: results/field.hpp
  mail::ArcResult chain = mail::ArcResult::None;  ///< verdict of the verifier
  std::string_view body_hash;                     ///< 32 octets, relaxed
  std::int64_t now_unix = 0;                      ///< t=
};

/// Instance and status of the set to make.
struct NextSet {
  unsigned instance = 1;
  ChainStatus status = ChainStatus::None;  ///< cv=
};

/// By §5.1, a valid chain is continued; a broken chain is reported as failed once and not again.
/// nullopt: there are 50 sets, a key could not be looked up (so the verdict is unknown), or `chain`
/// and `verdict` contradict each other.
std::optional<NextSet> next_set(const Chain& chain, mail::ArcResult verdict);

/// Names for h= of our ARC-Message-Signature: those that our DKIM signatures cover, and every
/// DKIM-Signature. No ARC field, and no Authentication-Results, which later hops may remove
/// (§4.1.2).
std::vector<std::string> names_to_sign(const std::vector<mail::HeaderField>& fields);

/// The three fields, seal on top, each folded and ended by CRLF, to put above the message. `fields`
/// are those of the message as it leaves, with our DKIM-Signatures. "": no set is to be made.
/// nullopt: the key cannot sign.
std::optional<std::string> make_set(const std::vector<mail::HeaderField>& fields,
                                    const SealOrder& order, const SealingKey& sealer);

/// The same, with `names` for h=.
std::optional<std::string> make_set(const std::vector<mail::HeaderField>& fields,
                                    const SealOrder& order, const SealingKey& sealer,
                                    const std::vector<std::string>& names);

}  // namespace relay::auth::arc
