// What one listener asks of the clients that connect to it: [[listener]].
#pragma once

#include <cstdint>

#include "relay/base/network.hpp"

namespace relay::smtp {

struct ListenerRules {
  base::Networks proxies;      ///< load balancers, which must begin with a PROXY protocol header
  bool require_tls = false;    ///< MAIL is refused in the clear
  bool verify = true;          ///< false: mail that arrives here is not verified; no lookups
  std::uint64_t max_size = 0;  ///< octets; 0: the one of [limits]
};

}  // namespace relay::smtp
