// Who sends. Everything that is decided or counted by client asks this value, never the connection:
// behind a balancer or a gateway the peer of the connection is somebody else.
#pragma once

#include <cstdint>
#include <string>

#include <boost/asio/ip/address.hpp>

#include "relay/base/origin.hpp"
#include "relay/inbound/arrival_policy.hpp"
#include "relay/mail/envelope.hpp"

namespace relay::inbound {

/// How we know.
enum class KnownBy : std::uint8_t {
  Connection,
  Proxy,     ///< the PROXY header of a balancer
  Xclient,   ///< a gateway says it, for the session
  Xforward,  ///< a gateway says it, for one transaction
  Received,  ///< a gateway has written it into the message
};

struct Client {
  mail::Client named;                ///< for the log, the trace and our results
  boost::asio::ip::address address;  ///< as base::plain_address()
  base::Origin origin;               ///< by whom it is counted
  KnownBy known_by = KnownBy::Connection;
  std::string through = {};    ///< IP of the balancer or gateway that says who it is; "": none
  bool helo_is_named = false;  ///< HELO as the gateway has heard it, whatever the gateway says
  bool is_exempt = false;      ///< from limits per client

  /// A gateway says who it is. What is said gives no rights: a client by claim is never exempt, nor
  /// a gateway itself.
  bool is_claimed() const { return known_by >= KnownBy::Xclient; }

  /// By whom what it holds and does is counted: nobody, where it is exempt.
  base::Origin counted() const { return is_exempt ? base::Origin() : origin; }
};

/// A client at this address, as far as the address alone tells. `how` is Connection or Proxy.
Client client_at(const boost::asio::ip::address& address, std::uint16_t port, KnownBy how,
                 const ArrivalPolicy& policy);

/// A client as `gateway` names it.
Client claimed_client(const boost::asio::ip::address& address, KnownBy how, const Client& gateway);

}  // namespace relay::inbound
