// Connections to other hosts.
#pragma once

#include <memory>
#include <utility>

#include "relay/base/published.hpp"
#include "relay/net/shard.hpp"
#include "relay/net/tls_context.hpp"
#include "relay/ports/stream.hpp"

namespace relay::net {

/// The TLS settings of start_tls(), by level.
struct ClientTls {
  std::shared_ptr<const TlsContext> may;
  std::shared_ptr<const TlsContext> encrypt;
  std::shared_ptr<const TlsContext> verify;
};

/// One per shard; calls only from that shard, but for use().
class TcpDialer final : public ports::Dialer {
 public:
  /// `shard` must outlive the dialer and all its streams.
  TcpDialer(Shard& shard, ClientTls tls)
      : shard_(shard), tls_(std::make_shared<const ClientTls>(std::move(tls))) {}

  /// From now on start_tls() uses these settings. Thread-safe.
  void use(std::shared_ptr<const ClientTls> tls) { tls_.publish(std::move(tls)); }

  /// Fails with NoSource if `source` is no address of this host or of the other family than
  /// `remote`.
  base::Task<std::expected<std::unique_ptr<ports::Stream>, ports::IoError>> connect(
      ports::Endpoint remote, std::optional<boost::asio::ip::address> source,
      base::Deadline deadline) override;

  /// `plain` must come from connect(). A server sends nothing between its 220 and our first
  /// handshake message: octets already there were injected, and the result is TlsFailed.
  base::Task<std::expected<std::unique_ptr<ports::Stream>, ports::TlsError>> start_tls(
      std::unique_ptr<ports::Stream> plain, std::string host, mail::TlsDemand demand,
      base::Deadline deadline) override;

 private:
  std::shared_ptr<const TlsContext> context_for(mail::TlsLevel level) const;

  Shard& shard_;
  base::Published<ClientTls> tls_;
};

}  // namespace relay::net
