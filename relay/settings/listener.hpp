// [[listener]]: where mail arrives, and by what rules.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "relay/base/network.hpp"
#include "relay/base/source_place.hpp"

namespace relay::settings {

struct SocketAddress {
  std::string host;  ///< textual IP, no brackets
  std::uint16_t port = 0;
  bool takes_ipv4 = false;  ///< "::" of a socket that another process has opened for IPv4, too
};

/// The settings that distinguish a listener from others.
struct ListenerPolicy {
  base::Networks proxies;      ///< load balancers, which send a PROXY protocol header first
  bool require_tls = false;    ///< MAIL only under TLS
  bool verify = true;          ///< off: like [auth] verify = false, for mail of this listener
  std::uint64_t max_size = 0;  ///< octets; 0: the one of [limits]
  base::SourcePlace proxies_at = {};
};

struct Listener {
  std::vector<SocketAddress> addresses;  ///< empty: the sockets that systemd passes
  std::vector<std::string> reached_as;   ///< textual IPs that NAT maps to it
  base::SourcePlace at = {};
  ListenerPolicy policy = {};
};

}  // namespace relay::settings
