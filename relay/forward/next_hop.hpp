// Configured routes ([[route]]): where mail for a domain goes instead of to its MX. Asked at every
// attempt, so that a corrected route frees what is waiting (decision 9).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

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

  /// Hosts to try in order; nullopt: go by MX. An exact domain wins over "*.parent", the longest
  /// parent over shorter ones, and all over "*". Cost: one lookup per label.
  std::optional<std::vector<NextHop>> match(const std::string& folded_domain) const;

 private:
  std::unordered_map<std::string, std::vector<NextHop>> exact_;
  std::unordered_map<std::string, std::vector<NextHop>>
      below_;  ///< "*.corp.example" as "corp.example"
  std::optional<std::vector<NextHop>> all_;
};

}  // namespace relay::forward
