// Configured routes ([[route]]): where mail for a domain goes instead of to its MX. Consulted at
// every delivery attempt, so that a corrected route also takes effect for mail that is waiting.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "relay/forward/domain_table.hpp"
#include "relay/mail/tls_demand.hpp"

namespace relay::forward {

struct NextHop {
  std::string host;  ///< name or textual IP
  std::uint16_t port = 25;
  mail::TlsDemand tls;
};

/// One [[route]].
struct RouteRule {
  std::string match;  ///< "*", "*.corp.example" or a domain, folded
  std::vector<NextHop> hops;
};

class NextHopTable {
 public:
  explicit NextHopTable(const std::vector<RouteRule>& rules);

  /// Hosts to try, in this order; nullopt: no route matches, use MX.
  std::optional<std::vector<NextHop>> match(const std::string& folded_domain) const;

 private:
  DomainTable<std::vector<NextHop>> hops_;
};

}  // namespace relay::forward
