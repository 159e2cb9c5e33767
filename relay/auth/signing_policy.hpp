// Which domain signs a message (design decision 10): never one aligned with the author's.
#pragma once

#include <string>
#include <vector>

#include "relay/auth/dkim/private_key.hpp"
#include "relay/auth/organisational_domain.hpp"

namespace relay::auth {

struct SelectorKey {
  std::string selector;
  dkim::PrivateKey key;
};

struct SigningDomain {
  std::string domain;  ///< folded
  std::vector<SelectorKey> keys;
};

/// Until a message has been authenticated, our signature must not be aligned with its From domain:
/// it would turn a spoof into a DMARC pass. The first domain that is not aligned signs; null when
/// every one is. With `own_message` (a DSN of ours) the first aligned domain signs, else the first.
const SigningDomain* choose_signing_domain(const std::vector<SigningDomain>& domains,
                                           const std::string& from_domain, bool own_message,
                                           const OrganisationalDomain& organisations);

}  // namespace relay::auth
