// Finds the [[domain]] that answers for a name.
#pragma once

#include <string>

#include "relay/forward/domain_table.hpp"

namespace relay::forward {

struct HostedDomain;
struct Policy;

/// Points into the policy it was made from.
class HostedDomains {
 public:
  HostedDomains() = default;
  explicit HostedDomains(const Policy& policy);

  /// The entry of that name, or else of the longest "*.parent" above it; null when the name is not
  /// ours. An SRS domain is hosted only by an entry of its own name, not by a wildcard above it.
  const HostedDomain* find(const std::string& folded_domain) const;

 private:
  DomainTable<const HostedDomain*> domains_;
};

}  // namespace relay::forward
