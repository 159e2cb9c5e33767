// The server side of STARTTLS.
#pragma once

#include <memory>

#include "relay/base/published.hpp"
#include "relay/net/tls_context.hpp"
#include "relay/ports/stream.hpp"

namespace relay::net {

/// One object serves all shards. Each handshake uses the context published at that moment, so a new
/// certificate takes effect with publish(), and open sessions keep the old one.
class OpensslAcceptor final : public ports::TlsAcceptor {
 public:
  /// `contexts` must outlive the acceptor.
  explicit OpensslAcceptor(const base::Published<TlsContext>& contexts) : contexts_(contexts) {}

  base::Task<std::expected<void, ports::IoError>> await_hello(ports::Stream& plain,
                                                              base::Deadline deadline) override;

  /// `plain` must be an open PlainStream of ours; otherwise the error is TlsFailed.
  base::Task<std::expected<std::unique_ptr<ports::Stream>, ports::IoError>> accept(
      std::unique_ptr<ports::Stream> plain, base::Deadline deadline) override;

 private:
  const base::Published<TlsContext>& contexts_;
};

}  // namespace relay::net
