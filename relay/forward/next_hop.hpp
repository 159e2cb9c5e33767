// Configured routes ([[route]]): where mail for a domain goes instead of to its MX. Consulted at
// every delivery attempt, so that a corrected route also takes effect for mail that is waiting.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "relay/mail/tls_demand.hpp"
#include "relay/settings/domain_table.hpp"
#include "relay/settings/settings.hpp"

namespace relay::forward {

struct NextHop {
  std::string host;  ///< name or textual IP
  std::uint16_t port = 25;
  mail::TlsDemand tls;
};

class NextHopTable {
 public:
  static NextHopTable make(const settings::Settings& settings);

  /// Hosts to try, in this order; nullopt: no route matches, use MX.
  std::optional<std::vector<NextHop>> match(const std::string& folded_domain) const;

 private:
  settings::DomainTable<std::vector<NextHop>> hops_;
};

}  // namespace relay::forward
