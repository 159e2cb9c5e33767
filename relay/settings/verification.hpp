// [auth]: what is looked up for incoming mail.
#pragma once

#include <chrono>
#include <string>

#include "relay/mail/lookup_time.hpp"

namespace relay::settings {

/// How DMARC's relaxed alignment decides which names belong to one organisation.
enum class OrganisationRule {
  TreeWalk,    ///< by DMARC records of parent domains (RFC 9989)
  SuffixList,  ///< by the Public Suffix List (RFC 7489)
};

/// What is looked up for incoming mail.
struct Auth {
  bool verify = true;
  std::string authserv_id;  ///< our name in Authentication-Results, folded
  std::chrono::seconds timeout = mail::kLookupTime;
  OrganisationRule organisation = OrganisationRule::TreeWalk;
};

}  // namespace relay::settings
