// The client that sends. All decisions and counts per client use this value, never the connection:
// behind a balancer or a gateway the peer of the connection is another host.
#pragma once

#include <cstdint>
#include <string>

#include <boost/asio/ip/address.hpp>

#include "relay/base/origin.hpp"
#include "relay/inbound/arrival_policy.hpp"
#include "relay/mail/envelope.hpp"

namespace relay::inbound {

/// How the client's address is known.
enum class KnownBy : std::uint8_t {
  Connection,
  Proxy,     ///< from the PROXY header of a balancer
  Xclient,   ///< a gateway said so for the session
  Xforward,  ///< a gateway said so for one transaction
  Received,  ///< from a Received field that a gateway wrote
};

struct Client {
  mail::Client named;                ///< for the log, Received and our results
  boost::asio::ip::address address;  ///< as base::plain_address()
  base::Origin origin;               ///< the keys under which it is counted
  KnownBy known_by = KnownBy::Connection;
  std::string through = {};    ///< IP of the balancer or gateway that named it; "": none
  bool helo_is_named = false;  ///< HELO was named by the gateway: its own HELO does not replace it
  bool is_exempt = false;      ///< from limits per client

  /// A gateway named this client. A name gives no rights: such a client is never exempt, and never
  /// a gateway itself.
  bool is_claimed() const { return known_by >= KnownBy::Xclient; }

  /// The keys for limits on what the client holds and does; empty, so not counted, if it is exempt.
  base::Origin counted() const { return is_exempt ? base::Origin() : origin; }
};

/// The client at this address, as far as the address tells. `how` is Connection or Proxy.
Client client_at(const boost::asio::ip::address& address, std::uint16_t port, KnownBy how,
                 const ArrivalPolicy& policy);

/// The client that `gateway` names.
Client claimed_client(const boost::asio::ip::address& address, KnownBy how, const Client& gateway);

}  // namespace relay::inbound
