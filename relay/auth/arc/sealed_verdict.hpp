// What the newest set of a chain says of DMARC, and of whom (RFC 8617 §4.1.1). Pure. Whether the
// chain holds and whether its sealer is to be believed are other questions; without both, the
// answer here is what anybody could have written.
#pragma once

#include <string_view>

#include "relay/auth/arc/chain.hpp"

namespace relay::auth::arc {

/// True when the sealer of the newest set says of exactly this author that DMARC passed, and has
/// signed who that is:
///   - its ARC-Authentication-Results have one result of DMARC, and that is pass. A second would be
///     about somebody else, or contradict the first;
///   - the one header.from in it is `author`, a folded domain;
///   - its ARC-Message-Signature covers From (RFC 6376 §5.4): else From may have been written after
///     the check.
/// False for a chain without sound sets. The results are read leniently: they are sealed.
bool newest_set_vouches_for(const Chain& chain, std::string_view author);

/// The same of a whole header, whose From names `author` alone.
bool newest_set_vouches_for(const mail::Header& header, std::string_view author);

}  // namespace relay::auth::arc
