#include "relay/auth/signing_policy.hpp"

#include <algorithm>

#include <libpsl.h>

namespace relay::auth {

OrganisationalDomain::OrganisationalDomain() {
  psl_ctx_t* list = psl_latest(nullptr);
  if (list)
    list_ = std::shared_ptr<const void>(
        list, [](const void* raw) { psl_free(static_cast<psl_ctx_t*>(const_cast<void*>(raw))); });
}

std::string OrganisationalDomain::of(const std::string& folded_domain) const {
  const auto* list = list_ ? static_cast<const psl_ctx_t*>(list_.get()) : psl_builtin();
  if (!list) return folded_domain;
  const char* registrable = psl_registrable_domain(list, folded_domain.c_str());
  return registrable ? std::string(registrable) : folded_domain;
}

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
  // An unclear From may be read by a receiver as any of its mailboxes: nothing is surely unaligned.
  if (from_domain.empty()) return nullptr;
  const std::string author = organisations.of(from_domain);
  for (const SigningDomain& candidate : domains) {
    if (organisations.of(candidate.domain) != author) return &candidate;
  }
  return nullptr;
}

std::optional<arc::SealingKey> choose_sealing_key(const std::vector<SigningDomain>& domains) {
  for (const SigningDomain& candidate : domains) {
    for (const auto& [selector, key] : candidate.keys) {
      if (key.type() == dkim::KeyType::Rsa) {
        return arc::SealingKey{candidate.domain, selector, key};
      }
    }
  }
  return std::nullopt;
}

}  // namespace relay::auth
