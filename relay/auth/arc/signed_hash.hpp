// What signatures of ARC cover (RFC 8617 §5.1.1) as SHA-256 digests, the same for who signs and who
// verifies. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "relay/auth/arc/chain.hpp"
#include "relay/mail/header.hpp"

namespace relay::auth::arc {

/// Of an ARC-Message-Signature: as of a DKIM-Signature. `own` is its field, with or without b=; it
/// may be one of the header's.
std::string signed_message_hash(const dkim::SignableHeader& header, const mail::HeaderField& own,
                                const MessageSignature& tags);

/// Of every ARC-Seal, by instance: the fields of all sets up to its own, oldest first, relaxed, in
/// the order results, signature, seal; its own seal without its signature.
std::vector<std::string> signed_seal_hashes(const std::vector<ArcSet>& sets);

/// Of a seal to be made: `earlier` sets, which are none when the chain has failed (§5.1.2), then
/// our own.
std::string signed_seal_hash(const std::vector<ArcSet>& earlier, const mail::HeaderField& results,
                             const mail::HeaderField& signature, const mail::HeaderField& seal);

}  // namespace relay::auth::arc
