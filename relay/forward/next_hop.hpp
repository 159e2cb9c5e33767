// Configured routes ([[route]]): where mail for a domain goes instead of to its MX. Asked at every
// attempt, so that a corrected route frees what is waiting (decision 9).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "relay/forward/domain_table.hpp"
#include "relay/settings/settings.hpp"

namespace relay::forward {

enum class TlsDemand {
  Auto,     ///< encrypt where offered
  Require,  ///< never in the clear; the certificate is not checked
  Verify,   ///< never in the clear, certificate chain and name must be good
  None,     ///< never encrypt
};

struct NextHop {
  std::string host;  ///< name or textual IP
  std::uint16_t port = 25;
  TlsDemand tls = TlsDemand::Auto;
};

class NextHopTable {
 public:
  static NextHopTable make(const settings::Settings& settings);

  /// Hosts to try in order; nullopt: go by MX.
  std::optional<std::vector<NextHop>> match(const std::string& folded_domain) const;

 private:
  DomainTable<std::vector<NextHop>> hops_;
};

}  // namespace relay::forward
