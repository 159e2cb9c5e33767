#include "relay/net/tls_acceptor.hpp"

#include "relay/net/plain_stream.hpp"
#include "relay/net/tls_stream.hpp"

namespace relay::net {

base::Task<std::expected<void, ports::IoError>> OpensslAcceptor::await_hello(
    ports::Stream& plain, base::Deadline deadline) {
  auto* const ours = dynamic_cast<PlainStream*>(&plain);
  if (ours == nullptr) co_return std::unexpected(ports::IoError::TlsFailed);
  co_return co_await ours->wait_readable(deadline);
}

// Octets may already wait in the kernel: the client's first handshake message follows our 220 at
// once. If they are anything else, the handshake fails and the connection ends.
base::Task<std::expected<std::unique_ptr<ports::Stream>, ports::IoError>> OpensslAcceptor::accept(
    std::unique_ptr<ports::Stream> plain, base::Deadline deadline) {
  auto* const ours = dynamic_cast<PlainStream*>(plain.get());
  auto connection = ours != nullptr ? ours->release() : nullptr;
  if (!connection) co_return std::unexpected(ports::IoError::TlsFailed);
  co_return co_await TlsStream::accept(std::move(connection), contexts_.get(), deadline);
}

}  // namespace relay::net
