// [auth]: what is looked up for incoming mail.
#pragma once

#include <chrono>
#include <string>

namespace relay::settings {

using std::chrono::seconds;

/// How DMARC's relaxed alignment decides which names belong to one organisation.
enum class OrganisationRule {
  TreeWalk,    ///< by DMARC records of parent domains (RFC 9989)
  SuffixList,  ///< by the Public Suffix List (RFC 7489)
};

/// What is looked up for incoming mail.
struct Auth {
  bool verify = true;
  std::string authserv_id;  ///< our name in Authentication-Results, folded
  seconds timeout{20};      ///< for all lookups of a message together
  OrganisationRule organisation = OrganisationRule::TreeWalk;
};

}  // namespace relay::settings
