// By whom mail comes in: what differs between listeners, who may say whom a connection is for, and
// who is not counted. Part of the policy.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "relay/base/network.hpp"
#include "relay/forward/rejection.hpp"
#include "relay/ports/stream.hpp"

namespace relay::inbound {

/// [[listener]].
struct ListenerPolicy {
  std::vector<ports::Endpoint> at;
  base::Networks proxies;      ///< who must begin with a PROXY header
  bool require_tls = false;    ///< MAIL is refused in the clear
  bool verify = true;          ///< nothing is looked up of mail that comes in here, if false
  std::uint64_t max_size = 0;  ///< octets; 0: as Limits has it
};

/// [[gateway]]: a mail system of the operator's own that hands on what it has received.
struct GatewayPolicy {
  base::Networks from;
  bool reads_received = false;     ///< the client is found in Received, where nobody names it
  std::vector<std::string> names;  ///< what its hosts call themselves in Received, folded
  std::string results;             ///< its authserv-id, folded; "": its results are not believed
  forward::LateRefusal refusals = forward::LateRefusal::Refuse;
};

struct ArrivalPolicy {
  std::vector<ListenerPolicy> listeners;
  std::vector<GatewayPolicy> gateways;
  base::Networks exempt;  ///< [limits] exempt

  /// Of connections that come in at this address of ours: the listener on that very address, else
  /// that on every address of its family with the port, else one with nothing special.
  const ListenerPolicy& listener_at(const ports::Endpoint& local) const;

  /// nullptr: nobody at this address is a gateway.
  const GatewayPolicy* gateway_at(const boost::asio::ip::address& client) const;

  /// Limits for each client do not apply to it: it is exempt, or a gateway.
  bool exempts(const boost::asio::ip::address& client) const;
};

}  // namespace relay::inbound
