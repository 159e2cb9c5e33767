// The client of one session: the peer, and the client that a gateway names in its place.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "relay/inbound/client.hpp"
#include "relay/inbound/proxy/header.hpp"
#include "relay/smtp/client_attributes.hpp"

namespace relay::inbound {

class SessionClient {
 public:
  explicit SessionClient(Client connected) : peer_(std::move(connected)) {}

  /// Who connected, or the client that a balancer named with PROXY. Only the peer can be a gateway.
  const Client& peer() const { return peer_; }

  /// The client of the session: the one XCLIENT named, else the peer. Received names it.
  const Client& of_session() const { return named_ ? *named_ : peer_; }

  /// The client of the open or next transaction: the one XFORWARD named, else that of the session.
  /// References stay valid until a name is taken or dropped, or the session's client changes.
  const Client& current() const { return forwarded_ ? *forwarded_ : of_session(); }

  /// The peer becomes the client that the PROXY header names.
  void take_proxy(const proxy::Source& source, const ArrivalPolicy& policy);

  /// A gateway has named a client (XCLIENT, XFORWARD). Attributes not given keep their value. If
  /// the address is unavailable, or SOURCE=LOCAL, the client is the peer. The error is the text of
  /// a 501; then nothing has changed.
  std::expected<void, std::string> take(smtp::NamedBy by, const smtp::ClientAttributes& attributes);

  /// The argument of HELO or EHLO, for the session's client.
  void note_hello(const std::string& helo, bool esmtp);

  /// Of the connection to the peer.
  void note_tls(std::string version, std::string cipher);

  /// Updates is_exempt of the peer, for the policy may have changed.
  void judge_peer(const ArrivalPolicy& policy) { peer_.is_exempt = policy.exempts(peer_.address); }

  /// MAIL was accepted. Behind a proxy that has named its client, the client itself may speak from
  /// now on: nothing that it says may name another one, or make it the gateway.
  void begin_transaction() { naming_is_over_ = naming_is_over_ || named_ != nullptr; }

  /// The client that XCLIENT has named stays to the end of the connection.
  bool naming_is_over() const { return naming_is_over_; }

  void drop_forwarded() { forwarded_.reset(); }

  /// RFC 3207 §4.2: forget what the client said before TLS began.
  void drop_names();

 private:
  Client peer_;
  std::unique_ptr<Client> named_;      ///< by XCLIENT
  std::unique_ptr<Client> forwarded_;  ///< by XFORWARD
  bool naming_is_over_ = false;
};

}  // namespace relay::inbound
