#include "relay/settings/hosted_domains.hpp"

namespace relay::settings {

HostedDomains::HostedDomains(const Settings& settings) {
  for (const HostedDomain& domain : settings.domains) domains_.add(domain.text(), &domain);
  for (const mail::Domain& domain : settings.srs_domains()) domains_.add(domain.folded(), nullptr);
}

const HostedDomain* HostedDomains::find(const std::string& folded_domain) const {
  const HostedDomain* const* found = domains_.find(folded_domain);
  return found == nullptr ? nullptr : *found;
}

}  // namespace relay::settings
