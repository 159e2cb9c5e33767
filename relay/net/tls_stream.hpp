// A connection under TLS. Made from a Connection by a handshake and never turned back: when the TLS
// session ends, the connection ends (T-4).
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
/// and each wait is one of Connection's, with its deadline.
class TlsStream final : public ports::Stream {
 public:
  using Result = std::expected<std::unique_ptr<ports::Stream>, ports::IoError>;

  /// Handshake as server. Octets sent in the clear before it are taken for a handshake and fail it.
  static base::Task<Result> accept(std::unique_ptr<Connection> connection,
                                   std::shared_ptr<const TlsContext> context,
                                   base::Deadline deadline);

  /// Handshake as client with SNI `host`, and a check of that name when `level` is Verify.
  static base::Task<Result> connect(std::unique_ptr<Connection> connection,
                                    std::shared_ptr<const TlsContext> context, std::string host,
                                    ports::TlsLevel level, base::Deadline deadline);

  ~TlsStream() override;

  base::Task<std::expected<std::size_t, ports::IoError>> read_some(
      std::span<char> into, base::Deadline deadline) override;
  base::Task<std::expected<void, ports::IoError>> write(std::string_view octets,
                                                        base::Deadline deadline) override;
  void close() noexcept override;
  bool has_unread() override;

  const ports::Endpoint& peer() const override { return connection_->peer(); }

  const ports::Endpoint& local() const override { return connection_->local(); }

  std::optional<ports::TlsInfo> tls() const override;

 private:
  struct Free {
    void operator()(SSL* ssl) const;
  };

  struct SocketBio;  ///< the socket, as OpenSSL sees it

  explicit TlsStream(std::unique_ptr<Connection> connection);

  bool set_up(const TlsContext& context);
  bool expect_host(const std::string& host, ports::TlsLevel level);
  static base::Task<Result> handshake(std::unique_ptr<TlsStream> stream, base::Deadline deadline);

  /// What to do after an SSL call returned `code`: wait and call again, or give up.
  base::Task<std::expected<void, ports::IoError>> go_on_after(int code, base::Deadline deadline);
  ports::IoError reason_of_failure(int ssl_error);

  std::unique_ptr<Connection> connection_;  // outlives ssl_, whose BIO points at this object
  std::unique_ptr<SSL, Free> ssl_;
  std::optional<ports::IoError> transport_failure_;
  std::optional<ports::IoError> dead_;  ///< latched: OpenSSL forbids calls after a fatal error
  bool write_broken_ = false;
  bool verify_ = false;
};

}  // namespace relay::net
