// [[listener]]: where mail arrives, and by what rules.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "relay/base/source_place.hpp"
#include "relay/smtp/listener_rules.hpp"

namespace relay::settings {

struct SocketAddress {
  std::string host;  ///< textual IP, no brackets
  std::uint16_t port = 0;
  bool takes_ipv4 = false;  ///< "::" of a socket that another process has opened for IPv4, too
};

/// The settings that distinguish a listener from others.
struct ListenerPolicy : smtp::ListenerRules {
  base::SourcePlace proxies_at = {};
};

struct Listener {
  std::vector<SocketAddress> addresses;  ///< empty: the sockets that systemd passes
  std::vector<std::string> reached_as;   ///< textual IPs that NAT maps to it
  base::SourcePlace at = {};
  ListenerPolicy policy = {};
};

}  // namespace relay::settings
