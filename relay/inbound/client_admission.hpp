// Who the client of a session is, and whether it is served: at the start, and again when a gateway
// names another one.
#pragma once

#include <expected>
#include <memory>
#include <optional>

#include "relay/base/published.hpp"
#include "relay/base/task.hpp"
#include "relay/inbound/abuse_control.hpp"
#include "relay/inbound/client_connection.hpp"
#include "relay/inbound/entrance.hpp"
#include "relay/inbound/gate.hpp"
#include "relay/inbound/policy.hpp"
#include "relay/inbound/session_client.hpp"
#include "relay/smtp/reply.hpp"
#include "relay/smtp/server_machine.hpp"

namespace relay::inbound {

/// For one session. A reply that it answers says why the client is not served.
class ClientAdmission {
 public:
  /// Shared by all sessions; outlives them.
  struct Parts {
    const base::Published<Policy>& policy;  ///< the newest says who is a gateway
    Entrance& entrance;
    AbuseControl& abuse;
  };

  using Objection = std::optional<smtp::Reply>;

  /// `policy`: that of the session. `place`: counted for the connected peer. All but `connected`
  /// outlive this object.
  ClientAdmission(const Parts& parts, const Policy& policy, const Limits& limits,
                  Gate::Ticket& place, Client connected)
      : parts_(parts),
        policy_(policy),
        limits_(limits),
        place_(place),
        client_(std::move(connected)) {}

  SessionClient& client() { return client_; }

  const SessionClient& client() const { return client_; }

  /// The peer is a balancer of this listener: it must send a PROXY header.
  bool is_balancer(const ListenerPolicy& listener) const;

  /// Reads that header; the client is the one that it names.
  base::Task<Objection> hear_balancer(ClientConnection& connection);

  /// Before the banner: a client that is listed, or that does not wait for the banner.
  base::Task<Objection> objection_to_arrival(ClientConnection& connection);

  /// The client is known now: its place is spared if it may take its time.
  void settle() { place_.spare(client_.of_session().is_exempt || is_gateway()); }

  /// Whether XCLIENT and XFORWARD are taken: the peer is a gateway, by the newest policy, and none
  /// of its clients may be speaking in its place.
  bool may_name() const { return !client_.naming_is_over() && is_gateway(); }

  /// XCLIENT or XFORWARD. A 421 ends the session.
  std::expected<void, smtp::Reply> take_name(const smtp::NameClient& said);

  /// To the client that XCLIENT has named; it gets the place.
  base::Task<Objection> objection_to_named(ClientConnection& connection);

  /// RFC 3207 §4.2: what was named before TLS is forgotten, and the place is the peer's again.
  Objection forget_names();

 private:
  /// Whether the peer is a gateway, by the newest policy.
  bool is_gateway() const;
  /// Moves the place in the gate to the current client.
  Objection change_place();
  base::Task<Objection> objection_to_listed(const ClientConnection& connection) const;

  const Parts& parts_;
  const Policy& policy_;
  const Limits& limits_;
  Gate::Ticket& place_;
  SessionClient client_;
};

}  // namespace relay::inbound
