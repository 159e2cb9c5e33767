// Rules that depend on where mail comes from: settings of each listener, who may name another
// client (PROXY, gateways), and who is exempt from limits. Part of the policy.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "relay/base/network.hpp"
#include "relay/forward/rejection.hpp"
#include "relay/ports/stream.hpp"
#include "relay/smtp/listener_rules.hpp"

namespace relay::inbound {

/// [[listener]].
struct ListenerPolicy : smtp::ListenerRules {
  std::vector<ports::Endpoint> at;
};

/// [[gateway]]: a mail system of the operator that passes on mail it has received.
struct GatewayPolicy {
  base::Networks from;
  bool reads_received = false;     ///< if the gateway does not name the client in SMTP
  std::vector<std::string> names;  ///< names of its hosts in Received, folded
  std::string results;  ///< its authserv-id, folded; "": none, its results are not believed
  forward::LateRefusal refusals = forward::LateRefusal::Refuse;

  /// The gateway could only bounce what we refuse. So objections to a client that it names are
  /// looked up after the content, when the message can still be held or leave by the risk pool.
  bool has_accepted() const { return refusals != forward::LateRefusal::Refuse; }
};

struct ArrivalPolicy {
  std::vector<ListenerPolicy> listeners;
  std::vector<GatewayPolicy> gateways;
  base::Networks exempt;  ///< [limits] exempt

  /// The settings for our address `local` of a connection: the listener on exactly that address,
  /// else the one on the unspecified address of its family with that port, else defaults.
  const ListenerPolicy& listener_at(const ports::Endpoint& local) const;

  /// nullptr: this address is no gateway.
  const GatewayPolicy* gateway_at(const boost::asio::ip::address& client) const;

  /// Limits per client do not apply: the address is exempt or a gateway.
  bool exempts(const boost::asio::ip::address& client) const;
};

}  // namespace relay::inbound
