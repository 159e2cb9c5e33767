// Which domain signs a message (design decision 10): never one aligned with the author's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relay/auth/arc/sealer.hpp"
#include "relay/auth/dkim/private_key.hpp"

namespace relay::auth {

struct SelectorKey {
  std::string selector;
  dkim::PrivateKey key;
};

struct SigningDomain {
  std::string domain;  ///< folded
  std::vector<SelectorKey> keys;
};

/// Organisational domains by the Public Suffix List of the system (libpsl).
class OrganisationalDomain {
 public:
  OrganisationalDomain();

  /// "example.co.uk" for "mail.example.co.uk"; the name itself when it is a public suffix.
  std::string of(const std::string& folded_domain) const;

 private:
  std::shared_ptr<const void> list_;
};

/// Until a message has been authenticated, our signature must not be aligned with its From domain:
/// it would turn a spoof into a DMARC pass. The first domain that is not aligned signs; null when
/// every one is. With `own_message` (a DSN of ours) the first aligned domain signs, else the first.
const SigningDomain* choose_signing_domain(const std::vector<SigningDomain>& domains,
                                           const std::string& from_domain, bool own_message,
                                           const OrganisationalDomain& organisations);

/// Who seals: the first RSA key of the first domain that has one. Always the same, whatever From
/// says, for receivers keep lists of sealers they trust; and a seal is no identifier of DMARC, so
/// that alignment does not matter. RSA, because many verifiers of ARC know nothing else.
std::optional<arc::SealingKey> choose_sealing_key(const std::vector<SigningDomain>& domains);

}  // namespace relay::auth
