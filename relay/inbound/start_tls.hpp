// STARTTLS: the reply, a place for the handshake, the handshake.
#pragma once

#include <optional>

#include "relay/base/origin.hpp"
#include "relay/base/task.hpp"
#include "relay/inbound/client_connection.hpp"
#include "relay/inbound/fair_share.hpp"
#include "relay/inbound/handshakes.hpp"
#include "relay/inbound/policy.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/stream.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::inbound {

/// One for all sessions. Thread-safe: it has no state of its own.
class StartTls {
 public:
  struct Parts {
    ports::Clock& clock;
    ports::TlsAcceptor* tls;  ///< null: no certificate is configured
    Handshakes& handshakes;
  };

  explicit StartTls(Parts parts) : parts_(parts) {}

  bool is_possible() const { return parts_.tls != nullptr; }

  /// Asked at STARTTLS, and each call counts; see Handshakes.
  bool may_begin(const base::Origin& counted, const Limits& limits) const {
    return parts_.handshakes.may_begin(counted, limits);
  }

  /// Says `go_on` and secures the connection. If that fails, the connection is over: the client
  /// expects TLS, so no reply in the clear is sent. The result is then what the log says of it;
  /// nullopt if the client has just gone. Precondition: is_possible().
  base::Task<std::optional<smtp::Reply>> secure(ClientConnection& connection,
                                                const smtp::Reply& go_on,
                                                const base::Origin& counted,
                                                const Limits& limits) const;

 private:
  /// Waits a while for a place; nullopt: none became free.
  base::Task<std::optional<FairShare::Holding>> place_for(const ClientConnection& connection,
                                                          const base::Origin& counted,
                                                          const Limits& limits) const;

  Parts parts_;
};

}  // namespace relay::inbound
