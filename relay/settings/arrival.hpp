// How mail arrives: the policy of a [[listener]], and [[gateway]].
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "relay/base/network.hpp"
#include "relay/forward/rejection.hpp"
#include "relay/settings/place.hpp"

namespace relay::settings {

/// The settings that distinguish a listener from others.
struct ListenerPolicy {
  base::Networks proxies;      ///< load balancers, which send a PROXY protocol header first
  bool require_tls = false;    ///< MAIL only under TLS
  bool verify = true;          ///< off: like [auth] verify = false, for mail of this listener
  std::uint64_t max_size = 0;  ///< octets; 0: the one of [limits]
  Place proxies_at = {};
};

/// A mail system in front of this one, trusted to say who its clients are.
struct Gateway {
  base::Networks from;
  bool reads_received = false;     ///< client = "received"
  std::vector<std::string> names;  ///< of its hosts, as in "by" of Received; folded
  std::string results;             ///< authserv-id whose results are trusted, folded; "": none
  forward::LateRefusal refusals = forward::LateRefusal::Refuse;
  Place at = {};
};

}  // namespace relay::settings
