// A connection with TLS, made from a Connection by a handshake. When the TLS session ends, the
// connection ends (guarantee "The end of TLS is the end of the connection").
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <openssl/types.h>

#include "relay/net/connection.hpp"
#include "relay/net/tls_context.hpp"
#include "relay/ports/stream.hpp"

namespace relay::net {

/// OpenSSL works directly on the socket through our BIO: records are not copied in between, and
/// every wait is a Connection's, with its deadline. OpenSSL alone would keep reading while it gets
/// no application data, so the BIO makes it return when the connection owes a turn. A peer that
/// sends more handshake messages or records after the handshake than the context allows
/// (TlsContext::late_messages) ends the connection with TlsFlood.
class TlsStream final : public ports::Stream {
 public:
  /// Handshake as server. Plaintext that is already there is read as handshake and makes it fail.
  static base::Task<std::expected<std::unique_ptr<ports::Stream>, ports::IoError>> accept(
      std::unique_ptr<Connection> connection, std::shared_ptr<const TlsContext> context,
      base::Deadline deadline);

  /// Handshake as client with SNI `host`. The certificate is checked if demand.level is Verify.
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

  /// After an SSL call returned `code`: waits so that the call can be repeated, or reports failure.
  base::Task<std::expected<void, ports::IoError>> go_on_after(int code, base::Deadline deadline);
  bool may_receive();

  bool may_send() const { return at_once_ || !connection_->owes_turn(); }

  ports::IoError reason_of_failure(int ssl_error);

  std::unique_ptr<Connection> connection_;  // outlives ssl_, whose BIO points to this object
  std::unique_ptr<SSL, Free> ssl_;
  std::optional<ports::IoError> transport_failure_;
  std::optional<ports::IoError> dead_;  ///< kept, because OpenSSL forbids calls after a fatal error
  std::uint32_t most_late_ = 0;         ///< of each of the following two
  std::uint32_t late_messages_ = 0;     ///< handshake messages since the handshake
  std::uint32_t late_records_ = 0;      ///< records with handshake messages since the handshake
  bool is_established_ = false;
  bool at_once_ = false;       ///< the current call must not wait, so it takes no turn
  bool has_received_ = false;  ///< in the current call
  bool write_broken_ = false;
  bool verify_ = false;
};

}  // namespace relay::net
