// Which domain signs a message, never one aligned with the author's unless the message is our own
// (guarantee "The anti-laundering invariant"); and how long the signature is valid (guarantee "Our
// signatures expire").
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

/// For a forwarded message: the first domain that is not aligned with its From domain, because an
/// aligned signature would turn a spoof into a DMARC pass; null when all are aligned. For
/// `own_message` (a DSN of ours): the first aligned domain, else the first one.
const SigningDomain* choose_signing_domain(const std::vector<SigningDomain>& domains,
                                           const std::string& from_domain, bool own_message,
                                           const OrganisationalDomain& organisations);

/// A signature without expiry can be replayed for ever. A week covers the time that mail may take
/// from hop to hop after it has left us.
inline constexpr std::chrono::seconds kSignatureLifetime = std::chrono::days{7};
/// How long a signature is still valid after the last delivery attempt, so that it never expires in
/// our own queue.
inline constexpr std::chrono::seconds kLifetimeAfterQueue = std::chrono::days{2};

/// Seconds from t= to x= for mail that may wait here for `queue_lifetime`; nullopt (no x=) when
/// that exceeds what a date can hold (RFC 6376 §3.5 allows limiting x= to 12 digits).
std::optional<std::chrono::seconds> signature_lifetime(std::chrono::seconds queue_lifetime);

}  // namespace relay::auth
