// DMARC of one message, from its header and what SPF and DKIM said to the verdict.
#pragma once

#include <string>

#include "relay/auth/dmarc/discovery.hpp"
#include "relay/mail/authentication.hpp"

namespace relay::auth::dmarc {

struct Subject {
  std::string header_block;
  mail::Authentication authentication;             ///< with SPF and DKIM found out
  bool null_sender = false;                        ///< MAIL FROM:<>
  const OrganisationalDomain* suffixes = nullptr;  ///< as in Question
};

/// Asks for nothing when the author cannot be told: then it is PermError at once (rule S-15).
base::Task<mail::DmarcVerdict> verify(ports::Resolver& resolver, Subject subject,
                                      base::Deadline deadline);

}  // namespace relay::auth::dmarc
