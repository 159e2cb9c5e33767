#include "relay/net/dialer.hpp"

#include <cerrno>

#include <boost/asio/as_tuple.hpp>
#include <netinet/in.h>
#include <sys/socket.h>

#include "relay/net/connection.hpp"
#include "relay/net/io_errors.hpp"
#include "relay/net/plain_stream.hpp"
#include "relay/net/tls_stream.hpp"

namespace relay::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using ports::IoError;

namespace {

// A socket that is being connected.
class Attempt final : private Interruptible {
 public:
  explicit Attempt(Shard& shard) : deadlines_(shard.deadlines()), socket(shard.executor()) {}

  base::Task<std::expected<void, IoError>> connect(tcp::endpoint remote, base::Deadline deadline) {
    std::expected<void, IoError> ok;
    if (deadline.passed()) co_return std::unexpected(IoError::Timeout);
    const DeadlineWheel::Alarm alarm(deadlines_, deadline, *this);
    const auto [error] = co_await socket.async_connect(remote, asio::as_tuple(base::use_task));
    if (alarm.rang() || deadline.passed()) co_return std::unexpected(IoError::Timeout);
    if (!error) co_return ok;
    co_return std::unexpected(reason_of(error.value(), remote));
  }

 private:
  // NoSource: no local port is left towards `remote`. With IPv6, EADDRNOTAVAIL also means that this
  // host has no IPv6 address, so there it counts as Unreachable.
  static IoError reason_of(int error_number, const tcp::endpoint& remote) {
    const bool lacks_port =
        error_number == EADDRINUSE || (error_number == EADDRNOTAVAIL && remote.address().is_v4());
    return lacks_port ? IoError::NoSource : io_error_of(error_number);
  }

  void interrupt() noexcept override {
    boost::system::error_code ignored;
    socket.cancel(ignored);
  }

  DeadlineWheel& deadlines_;

 public:
  Connection::Socket socket;
};

std::expected<void, IoError> open_from(Connection::Socket& socket, const tcp::endpoint& remote,
                                       const std::optional<asio::ip::address>& source) {
  boost::system::error_code error;
  socket.open(remote.protocol(), error);
  if (!error && source) {
    if (source->is_v4() != remote.address().is_v4()) {
      return std::unexpected(IoError::NoSource);
    }
    // Let connect() choose the port, when the remote is known: a port chosen by bind() would be
    // used up for all remotes.
    const int on = 1;
    ::setsockopt(socket.native_handle(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    socket.bind(tcp::endpoint(*source, 0), error);
    if (error && !is_exhaustion(error.value())) return std::unexpected(IoError::NoSource);
  }
  if (error) return std::unexpected(io_error_of(error.value()));
  return {};
}

}  // namespace

base::Task<std::expected<std::unique_ptr<ports::Stream>, IoError>> TcpDialer::connect(
    ports::Endpoint remote, std::optional<asio::ip::address> source, base::Deadline deadline) {
  const tcp::endpoint endpoint(remote.address, remote.port);
  Attempt attempt(shard_);
  const auto opened = open_from(attempt.socket, endpoint, source);
  if (!opened) co_return std::unexpected(opened.error());
  const auto connected = co_await attempt.connect(endpoint, deadline);
  if (!connected) co_return std::unexpected(connected.error());
  boost::system::error_code error;
  const auto local = attempt.socket.local_endpoint(error);
  if (!error) attempt.socket.set_option(tcp::no_delay(true), error);
  if (error) co_return std::unexpected(IoError::Reset);
  auto connection = std::make_unique<Connection>(shard_, std::move(attempt.socket),
                                                 endpoint_of(endpoint), endpoint_of(local));
  co_return std::make_unique<PlainStream>(std::move(connection));
}

std::shared_ptr<const TlsContext> TcpDialer::context_for(mail::TlsLevel level) const {
  const auto tls = tls_.get();
  if (level == mail::TlsLevel::Verify) return tls->verify;
  return level == mail::TlsLevel::Encrypt ? tls->encrypt : tls->may;
}

base::Task<std::expected<std::unique_ptr<ports::Stream>, ports::TlsError>> TcpDialer::start_tls(
    std::unique_ptr<ports::Stream> plain, std::string host, mail::TlsDemand demand,
    base::Deadline deadline) {
  auto* const ours = dynamic_cast<PlainStream*>(plain.get());
  auto connection = ours != nullptr ? ours->release() : nullptr;
  if (!connection || connection->has_unread()) co_return std::unexpected(ports::TlsError{});
  auto context = context_for(demand.level);
  if (!context) co_return std::unexpected(ports::TlsError{});
  co_return co_await TlsStream::connect(std::move(connection), std::move(context), std::move(host),
                                        std::move(demand), deadline);
}

}  // namespace relay::net
