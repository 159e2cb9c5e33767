// Policy discovery: the DNS lookups of RFC 9989 §4.10 for a message. Uses no verdicts;
// relay/auth/dmarc/evaluation.hpp judges by what is found here.
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

/// Most lookups for one message, all tree walks together. An author's own policy needs ten at most;
/// the organisational domains of identifiers in the same organisation need few more, and mostly the
/// same.
inline constexpr std::size_t kMaxQueries = 18;

struct Question {
  std::vector<std::string> author_domains;  ///< folded
  Identifiers identifiers;
  /// If set, organisational domains come from the Public Suffix List instead of the tree walk (RFC
  /// 7489 §3.2). Owned by the caller; must outlive the lookup.
  const OrganisationalDomain* suffixes = nullptr;
};

/// Finds the policies of the authors and the organisational domains that relaxed alignment needs:
/// none for strict modes, for equal domains, or for identifiers outside the author's organisation.
/// Each name is asked for once; at most kMaxWalkQueries per walk and kMaxQueries in all. A
/// temporary error gives Unknown, never "no policy".
base::Task<Findings> discover(ports::Resolver& resolver, Question question,
                              base::Deadline deadline);

}  // namespace relay::auth::dmarc
