// Which [[domain]] answers for a name.
#pragma once

#include <string>

#include "relay/settings/domain_table.hpp"
#include "relay/settings/settings.hpp"

namespace relay::settings {

/// Points into the settings it was made of.
class HostedDomains {
 public:
  HostedDomains() = default;
  explicit HostedDomains(const Settings& settings);

  /// The one of that name, or else the longest "*.parent" above it; null: it is none of ours. The
  /// SRS domain is hosted under its own name or not at all: below a wildcard it stays what it is.
  const HostedDomain* find(const std::string& folded_domain) const;

 private:
  DomainTable<const HostedDomain*> domains_;
};

}  // namespace relay::settings
