// The client of one session: who is connected, and whom that names in place of itself.
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

  /// Who is connected, or for whom a balancer has opened the connection. It alone may be a gateway.
  const Client& peer() const { return peer_; }

  /// Of the session: whom XCLIENT named, else the peer. What we say of it in Received.
  const Client& of_session() const { return named_ ? *named_ : peer_; }

  /// Of the next transaction, or the open one: whom XFORWARD named, else that of the session.
  /// References hold until a name is taken or dropped, or the session changes its client.
  const Client& current() const { return forwarded_ ? *forwarded_ : of_session(); }

  /// A balancer has said for whom it is connected.
  void take_proxy(const proxy::Source& source, const ArrivalPolicy& policy);

  /// The peer, a gateway, has said whom it speaks for. What it does not say stays as it was. Where
  /// it does not know, or has made the message by itself (SOURCE=LOCAL), the client is the peer.
  /// The error is a sentence for a 501; then nothing has changed.
  std::expected<void, std::string> take(smtp::NamedBy by, const smtp::ClientAttributes& attributes);

  /// What the session's client says in HELO or EHLO.
  void note_hello(const std::string& helo, bool esmtp);

  /// The TLS of the connection.
  void note_tls(std::string version, std::string cipher);

  /// The settings have changed, or may have.
  void judge_peer(const ArrivalPolicy& policy) { peer_.is_exempt = policy.exempts(peer_.address); }

  void drop_forwarded() { forwarded_.reset(); }

  /// RFC 3207 §4.2: what was said in the clear is not known any more.
  void drop_names();

 private:
  Client peer_;
  std::unique_ptr<Client> named_;      ///< by XCLIENT
  std::unique_ptr<Client> forwarded_;  ///< by XFORWARD
};

}  // namespace relay::inbound
