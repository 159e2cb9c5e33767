// Sockets that another process has opened for us to listen on.
#pragma once

#include "relay/ports/stream.hpp"

namespace relay::ports {

struct GivenSocket {
  Endpoint address;
  bool takes_ipv4 = false;  ///< it is on all IPv6 addresses, and on all IPv4 addresses as well

  friend bool operator==(const GivenSocket&, const GivenSocket&) = default;
};

}  // namespace relay::ports
