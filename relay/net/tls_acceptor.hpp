// The server side of STARTTLS.
#pragma once

#include <memory>

#include "relay/base/published.hpp"
#include "relay/net/tls_context.hpp"
#include "relay/ports/stream.hpp"

namespace relay::net {

/// One object serves all shards. Each handshake takes the context that is published at that moment,
/// so a new certificate is a publish() and sessions under way keep theirs.
class OpensslAcceptor final : public ports::TlsAcceptor {
 public:
  /// `contexts` must outlive the acceptor.
  explicit OpensslAcceptor(const base::Published<TlsContext>& contexts) : contexts_(contexts) {}

  base::Task<std::expected<void, ports::IoError>> await_hello(ports::Stream& plain,
                                                              base::Deadline deadline) override;

  /// `plain` must be a PlainStream of ours; anything else, and a closed one, is TlsFailed.
  base::Task<std::expected<std::unique_ptr<ports::Stream>, ports::IoError>> accept(
      std::unique_ptr<ports::Stream> plain, base::Deadline deadline) override;

 private:
  const base::Published<TlsContext>& contexts_;
};

}  // namespace relay::net
