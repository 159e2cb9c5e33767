// By whom mail comes in: what is special about a [[listener]], and [[gateway]].
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "relay/base/network.hpp"
#include "relay/settings/place.hpp"

namespace relay::settings {

/// What a listener does otherwise than others.
struct ListenerPolicy {
  base::Networks proxies;      ///< balancers, who begin with a header of the PROXY protocol
  bool require_tls = false;    ///< no MAIL in the clear
  bool verify = true;          ///< off: as [auth] verify = false, for what comes in here
  std::uint64_t max_size = 0;  ///< octets; 0: as [limits] says
  Place proxies_at = {};
};

/// What becomes of mail that a gateway has accepted and that would be refused here.
enum class LateRefusal { Refuse, Hold, Risk };

/// A mail system in front of this one that is trusted to say who its clients are.
struct Gateway {
  base::Networks from;
  bool reads_received = false;     ///< client = "received"
  std::vector<std::string> names;  ///< of its hosts in "by" of Received, folded
  std::string results;             ///< authserv-id that is believed, folded; "": none
  LateRefusal refusals = LateRefusal::Refuse;
  Place at = {};
};

}  // namespace relay::settings
