// What the newest ARC set says about DMARC and the author (RFC 8617 §4.1.1). Pure. Does not check
// whether the chain is valid and its sealer trusted: unless both are, anybody may have written this
// set.
#pragma once

#include <string_view>

#include "relay/auth/arc/chain.hpp"

namespace relay::auth::arc {

/// True when the newest set reports that DMARC passed for exactly this author, and its signature
/// covers the author:
///   - its ARC-Authentication-Results have exactly one dmarc result, and that is pass; a second one
///     would be about another author or contradict the first;
///   - that result has exactly one header.from, and it is `author`, a folded domain;
///   - its ARC-Message-Signature covers From (RFC 6376 §5.4); otherwise From may have been changed
///     after the check.
/// False for a chain that is not well-formed. The results are parsed leniently, because they are
/// sealed.
bool newest_set_vouches_for(const Chain& chain, std::string_view author);

/// The same for a whole header. Precondition: its From names `author` alone.
bool newest_set_vouches_for(const mail::Header& header, std::string_view author);

}  // namespace relay::auth::arc
