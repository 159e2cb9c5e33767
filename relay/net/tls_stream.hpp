// A connection under TLS. Made from a Connection by a handshake and never turned back: when the TLS
// session ends, the connection ends.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <openssl/types.h>

#include "relay/net/connection.hpp"
#include "relay/net/tls_context.hpp"
#include "relay/ports/stream.hpp"

namespace relay::net {

/// OpenSSL works directly on the socket through a BIO of ours: no copy of the records in between,
/// and each wait is one of Connection's, with its deadline. OpenSSL goes on by itself over whatever
/// is no application data, so the BIO is what makes it come back when the connection owes a turn.
/// A peer that sends more than kMostLateMessages handshake messages or records once the handshake
/// is done (KeyUpdate, RFC 8446 §4.6.3; NewSessionTicket; wishes to renegotiate, RFC 5246 §7.4.1)
/// ends the connection: TlsFlood.
class TlsStream final : public ports::Stream {
 public:
  static constexpr unsigned kMostLateMessages = 32;

  /// Handshake as server. Octets sent in the clear before it are taken for a handshake and fail it.
  static base::Task<std::expected<std::unique_ptr<ports::Stream>, ports::IoError>> accept(
      std::unique_ptr<Connection> connection, std::shared_ptr<const TlsContext> context,
      base::Deadline deadline);

  /// Handshake as client with SNI `host`. The certificate is checked when demand.level is Verify.
  static base::Task<std::expected<std::unique_ptr<ports::Stream>, ports::TlsError>> connect(
      std::unique_ptr<Connection> connection, std::shared_ptr<const TlsContext> context,
      std::string host, mail::TlsDemand demand, base::Deadline deadline);

  ~TlsStream() override;

  base::Task<std::expected<std::size_t, ports::IoError>> read_some(
      std::span<char> into, base::Deadline deadline) override;
  base::Task<std::expected<void, ports::IoError>> write(std::string_view octets,
                                                        base::Deadline deadline) override;
  void close() noexcept override;
  bool has_unread() override;

  std::size_t unacknowledged() const override { return connection_->unacknowledged(); }

  const ports::Endpoint& peer() const override { return connection_->peer(); }

  const ports::Endpoint& local() const override { return connection_->local(); }

  std::optional<ports::TlsInfo> tls() const override;

 private:
  struct Free {
    void operator()(SSL* ssl) const;
  };

  struct SocketBio;  ///< the socket, as OpenSSL sees it
  struct LateMessages;
  class AtOnce;

  explicit TlsStream(std::unique_ptr<Connection> connection);

  bool set_up(const TlsContext& context);
  bool expect_peer(const std::string& host, const mail::TlsDemand& demand);
  base::Task<std::expected<void, ports::IoError>> shake_hands(base::Deadline deadline);
  ports::TlsError failure(ports::IoError error) const;

  /// What to do after an SSL call returned `code`: wait and call again, or give up.
  base::Task<std::expected<void, ports::IoError>> go_on_after(int code, base::Deadline deadline);
  bool may_receive();

  bool may_send() const { return at_once_ || !connection_->owes_turn(); }

  ports::IoError reason_of_failure(int ssl_error);

  std::unique_ptr<Connection> connection_;  // outlives ssl_, whose BIO points at this object
  std::unique_ptr<SSL, Free> ssl_;
  std::optional<ports::IoError> transport_failure_;
  std::optional<ports::IoError> dead_;  ///< latched: OpenSSL forbids calls after a fatal error
  unsigned late_messages_ = 0;          ///< handshake messages since the handshake
  unsigned late_records_ = 0;           ///< records with handshake messages since the handshake
  bool is_established_ = false;
  bool at_once_ = false;       ///< the call under way may not wait, and so takes no turn
  bool has_received_ = false;  ///< in that call
  bool write_broken_ = false;
  bool verify_ = false;
};

}  // namespace relay::net
