// Which domain signs a message: never one aligned with the author's. And for how long the signature
// is to hold.
#pragma once

#include <chrono>
#include <optional>
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

/// A signature that never expires can be replayed for ever. A week is what mail may be under way,
/// from hop to hop, after it left us.
inline constexpr std::chrono::seconds kSignatureLifetime = std::chrono::days{7};
/// It must not die in our own queue: so long it still holds when the last attempt was made.
inline constexpr std::chrono::seconds kLifetimeAfterQueue = std::chrono::days{2};

/// From t= to x= for mail that may wait here for `queue_lifetime`; nullopt when that goes beyond
/// what a date can say (RFC 6376 §3.5: x= may be limited to 12 digits): then there is no x=.
std::optional<std::chrono::seconds> signature_lifetime(std::chrono::seconds queue_lifetime);

}  // namespace relay::auth
