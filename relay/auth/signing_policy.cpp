#include "relay/auth/signing_policy.hpp"

#include <algorithm>

namespace relay::auth {

const SigningDomain* choose_signing_domain(const std::vector<SigningDomain>& domains,
                                           const std::string& from_domain, bool own_message,
                                           const OrganisationalDomain& organisations) {
  if (domains.empty()) return nullptr;
  if (own_message) {
    const std::string host = organisations.of(from_domain);
    const auto aligned = std::ranges::find_if(
        domains, [&](const SigningDomain& one) { return organisations.of(one.domain) == host; });
    return aligned == domains.end() ? &domains.front() : &*aligned;
  }
  // Without one clear author, receivers may read any mailbox in From: nothing is surely unaligned.
  if (from_domain.empty()) return nullptr;
  const std::string author = organisations.of(from_domain);
  for (const SigningDomain& candidate : domains) {
    if (organisations.of(candidate.domain) != author) return &candidate;
  }
  return nullptr;
}

std::optional<std::chrono::seconds> signature_lifetime(std::chrono::seconds queue_lifetime) {
  constexpr std::chrono::seconds kLongest = std::chrono::years{1000};
  if (queue_lifetime > kLongest) return std::nullopt;
  return std::max(kSignatureLifetime, queue_lifetime + kLifetimeAfterQueue);
}

}  // namespace relay::auth
