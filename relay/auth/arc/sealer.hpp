// Makes our ARC set (RFC 8617 §5.1): what we found, a signature over the message as it leaves, and
// a seal over the chain. Deterministic: same input, same octets.
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

/// Who seals. An ARC seal is no identifier of DMARC, so the domain need not keep away from From as
/// that of a DKIM signature must: a seal aligned with it passes nothing.
struct SealingKey {
  std::string domain;    ///< d=
  std::string selector;  ///< s=
  dkim::PrivateKey key;
};

struct SealOrder {
  std::string_view results;  ///< value of an Authentication-Results field: results/field.hpp
  mail::ArcResult chain = mail::ArcResult::None;  ///< what the verifier made of it
  std::string_view body_hash;                     ///< 32 octets, relaxed
  std::int64_t now_unix = 0;                      ///< t=
};

/// The set to be made, if any.
struct NextSet {
  unsigned instance = 1;
  ChainStatus status = ChainStatus::None;  ///< cv=
};

/// §5.1: a valid chain is continued, a broken one is said to be broken once, and not again. None
/// when 50 sets are there, when a key could not be looked up (the verdict must not be guessed), or
/// when `chain` and the verdict do not belong together.
std::optional<NextSet> next_set(const Chain& chain, mail::ArcResult verdict);

/// Names for h= of an ARC-Message-Signature: those of our DKIM signatures, and every
/// DKIM-Signature; no ARC field, no Authentication-Results, which others may take away (§4.1.2).
std::vector<std::string> names_to_sign(const std::vector<mail::HeaderField>& fields);

/// The three fields, seal on top, each with its CRLF, folded; to stand above the message. `fields`:
/// of the message as it leaves, our DKIM-Signatures included. "" when there is no set to be made.
/// nullopt: the key cannot sign.
std::optional<std::string> make_set(const std::vector<mail::HeaderField>& fields,
                                    const SealOrder& order, const SealingKey& sealer);

/// The same with names of the caller's choice.
std::optional<std::string> make_set(const std::vector<mail::HeaderField>& fields,
                                    const SealOrder& order, const SealingKey& sealer,
                                    const std::vector<std::string>& names);

}  // namespace relay::auth::arc
