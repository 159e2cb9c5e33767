// Policy discovery: asks the DNS what RFC 9989 §4.10 wants to know about a message. Knows no
// verdicts; relay/auth/dmarc/evaluation judges by what is found here.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "relay/auth/dmarc/findings.hpp"
#include "relay/auth/organisational_domain.hpp"
#include "relay/base/task.hpp"
#include "relay/base/time.hpp"
#include "relay/ports/resolver.hpp"

namespace relay::auth::dmarc {

/// Lookups for one message, all walks together. One author's own cost ten at most; those for
/// identifiers in his organisation are few and mostly the same.
inline constexpr std::size_t kMaxQueries = 18;

struct Question {
  std::vector<std::string> author_domains;  ///< folded
  Identifiers identifiers;
  /// Set: organisations go by the Public Suffix List instead of the walk (RFC 7489 §3.2). The
  /// caller's, and outlives the lookup.
  const OrganisationalDomain* suffixes = nullptr;
};

/// Finds the policies of the authors and as many organisational domains as relaxed alignment needs:
/// none for strict modes, for equal domains, or for identifiers outside the author's organisation.
/// Each name is asked once; at most kMaxWalkQueries a walk, kMaxQueries in all. A temporary error
/// is Unknown, never "no policy".
base::Task<Findings> discover(ports::Resolver& resolver, Question question,
                              base::Deadline deadline);

}  // namespace relay::auth::dmarc
