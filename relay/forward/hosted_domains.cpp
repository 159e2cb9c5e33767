#include "relay/forward/hosted_domains.hpp"

#include "relay/forward/policy.hpp"

namespace relay::forward {

HostedDomains::HostedDomains(const Policy& policy) {
  for (const HostedDomain& domain : policy.domains) domains_.add(domain.text(), &domain);
  for (const mail::Domain& domain : policy.srs_domains()) domains_.add(domain.folded(), nullptr);
}

const HostedDomain* HostedDomains::find(const std::string& folded_domain) const {
  const HostedDomain* const* found = domains_.find(folded_domain);
  return found == nullptr ? nullptr : *found;
}

}  // namespace relay::forward
