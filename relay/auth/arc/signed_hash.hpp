// SHA-256 digests of what ARC signatures cover (RFC 8617 §5.1.1), for signer and verifier alike.
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "relay/auth/arc/chain.hpp"
#include "relay/mail/header.hpp"

namespace relay::auth::arc {

/// Digest for an ARC-Message-Signature, made like that of a DKIM-Signature. `own` is its field,
/// with or without b=; it may be one of the header's fields.
std::string signed_message_hash(const dkim::SignableHeader& header, const mail::HeaderField& own,
                                const MessageSignature& tags);

/// Digests for all ARC-Seals, by instance. Each covers the fields of all sets up to its own, oldest
/// first, relaxed, in the order results, signature, seal; its own seal without b=.
std::vector<std::string> signed_seal_hashes(const std::vector<ArcSet>& sets);

/// Digest for a seal to be made, over the `earlier` sets (none when the chain has failed, §5.1.2)
/// and our own fields.
std::string signed_seal_hash(const std::vector<ArcSet>& earlier, const mail::HeaderField& results,
                             const mail::HeaderField& signature, const mail::HeaderField& seal);

}  // namespace relay::auth::arc
