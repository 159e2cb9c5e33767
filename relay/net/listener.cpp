#include "relay/net/listener.hpp"

#include <algorithm>
#include <cerrno>
#include <new>
#include <optional>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "relay/base/spawn.hpp"
#include "relay/base/timer.hpp"
#include "relay/net/connection.hpp"
#include "relay/net/io_errors.hpp"
#include "relay/net/plain_stream.hpp"

namespace relay::net {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

using Acceptor = asio::basic_socket_acceptor<tcp, base::Executor>;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr int kConnectionsPerTurn = 16;

boost::system::error_code bind_to(Acceptor& acceptor, const ports::Endpoint& address, bool shared) {
  const tcp::endpoint endpoint(address.address, address.port);
  boost::system::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(Acceptor::reuse_address(true), error);
  if (!error && shared) acceptor.set_option(ReusePort(true), error);
  if (!error && address.address.is_v6()) acceptor.set_option(asio::ip::v6_only(true), error);
  if (!error) acceptor.bind(endpoint, error);
  return error;
}

/// Sets TCP_NODELAY on the listening socket; accepted sockets inherit it. Each write is a whole
/// turn of the dialogue, so it must not wait for more.
boost::system::error_code send_without_delay(Acceptor& acceptor) {
  boost::system::error_code error;
  acceptor.set_option(tcp::no_delay(true), error);
  return error;
}

/// Whether the address can be bound with IP_FREEBIND: then the only problem is that this host does
/// not have the address at this moment.
bool is_free_all_the_same(asio::io_context& io, const ports::Endpoint& address) {
  using Anywhere4 = asio::detail::socket_option::boolean<IPPROTO_IP, IP_FREEBIND>;
  using Anywhere6 = asio::detail::socket_option::boolean<IPPROTO_IPV6, IPV6_FREEBIND>;
  const tcp::endpoint endpoint(address.address, address.port);
  Acceptor probe(io.get_executor());
  boost::system::error_code error;
  probe.open(endpoint.protocol(), error);
  if (!error && address.address.is_v6()) probe.set_option(Anywhere6(true), error);
  if (!error && address.address.is_v4()) probe.set_option(Anywhere4(true), error);
  if (!error) probe.bind(endpoint, error);
  return !error;
}

std::string problem(const ports::Endpoint& address, const boost::system::error_code& error) {
  return to_text(address) + ": " + error.message();
}

// accept() returns the lowest free descriptor, so its number tells how full the table is.
int highest_descriptor_to_take(int reserved) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return 1 << 30;
  const int all = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, 1 << 30));
  return all - std::min(reserved, all / 8) - 1;
}

std::optional<Listener::Lack> lack_behind(int error_number) {
  if (!is_exhaustion(error_number)) return std::nullopt;
  const bool descriptors = error_number == EMFILE || error_number == ENFILE;
  return descriptors ? Listener::Lack::Descriptors : Listener::Lack::Memory;
}

}  // namespace

// One listening socket and its accept loop. Used on its shard only.
class Listener::Door {
 public:
  Door(Shard& shard, OnConnection on_connection, Limits limits)
      : shard_(shard),
        on_connection_(std::move(on_connection)),
        limits_(std::move(limits)),
        acceptor_(shard.executor()),
        rest_(shard.executor()) {}

  std::expected<ports::Endpoint, std::string> open(const ports::Endpoint& address) {
    auto error = bind_to(acceptor_, address, true);
    if (!error) error = send_without_delay(acceptor_);
    if (!error) acceptor_.listen(limits_.backlog, error);
    // We call accept4() ourselves after a wait: the connection may be gone by then, so never block.
    if (!error) acceptor_.native_non_blocking(true, error);
    if (error) return std::unexpected(problem(address, error));
    auto bound = endpoint_of(acceptor_.local_endpoint());
    if (!bound.address.is_unspecified()) local_ = bound;
    return bound;
  }

  /// Shares the socket with the other shards: the first to accept gets the connection.
  std::expected<ports::Endpoint, std::string> adopt(const Listener::Inherited& inherited) {
    const auto& address = inherited.address;
    const int copy = ::fcntl(inherited.descriptor, F_DUPFD_CLOEXEC, 3);
    boost::system::error_code error;
    if (copy < 0) error.assign(errno, boost::system::system_category());
    if (!error) acceptor_.assign(address.address.is_v6() ? tcp::v6() : tcp::v4(), copy, error);
    if (error && copy >= 0) ::close(copy);
    if (!error) error = send_without_delay(acceptor_);
    if (!error) acceptor_.native_non_blocking(true, error);
    if (error) return std::unexpected(problem(address, error));
    return address;
  }

  static void start(std::shared_ptr<Door> door) {
    const auto executor = door->shard_.executor();
    base::spawn_lasting(executor, "listener",
                        [door = std::move(door)] { return accept_loop(door); });
  }

  static void stop(std::shared_ptr<Door> door) {
    const auto executor = door->shard_.executor();
    asio::post(executor, [door = std::move(door)] {
      boost::system::error_code ignored;
      door->acceptor_.close(ignored);
      door->rest_.cancel();
    });
  }

  std::uint64_t pauses() const { return pauses_.load(std::memory_order_relaxed); }

 private:
  // `self` keeps the door alive while the loop waits.
  static base::Task<> accept_loop(std::shared_ptr<Door> self) {
    while (self->acceptor_.is_open()) {
      co_await self->acceptor_.async_wait(Acceptor::wait_read, asio::as_tuple(base::use_task));
      if (!self->acceptor_.is_open()) co_return;
      const auto lack = self->take_waiting();
      if (!lack) continue;
      self->pauses_.fetch_add(1, std::memory_order_relaxed);
      if (self->limits_.on_pause) self->limits_.on_pause(*lack);
      self->rest_.expires_after(self->limits_.pause);
      co_await self->rest_.async_wait(asio::as_tuple(base::use_task));
    }
  }

  /// What there is none left of; nullopt: nothing is lacking.
  std::optional<Lack> take_waiting() {
    try {
      return take_some();
    } catch (const std::bad_alloc&) {
      return Lack::Memory;  // costs one connection, not the daemon
    }
  }

  /// Accepts waiting connections, a limited number, so that sessions get their turn.
  std::optional<Lack> take_some() {
    const int highest = highest_descriptor_to_take(limits_.reserved_descriptors);
    for (int i = 0; i < kConnectionsPerTurn && acceptor_.is_open(); ++i) {
      tcp::endpoint peer;
      auto size = static_cast<socklen_t>(peer.capacity());
      const int taken =
          ::accept4(acceptor_.native_handle(), peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      // Other errors concern a connection that is gone again, or mean that none is waiting.
      if (taken < 0) return lack_behind(errno);
      peer.resize(size);
      Connection::Socket socket(shard_.executor());
      boost::system::error_code error;
      socket.assign(peer.protocol(), taken, error);
      if (error) ::close(taken);
      if (error) return Lack::Memory;  // of the kernel, to watch the socket
      if (taken > highest) {
        ::send(taken, limits_.farewell.data(), limits_.farewell.size(),
               MSG_DONTWAIT | MSG_NOSIGNAL);
        return Lack::Descriptors;
      }
      hand_over(std::move(socket), peer);
    }
    return std::nullopt;
  }

  void hand_over(Connection::Socket socket, const tcp::endpoint& peer) {
    auto local = local_;
    if (!local) {
      boost::system::error_code gone;
      local = endpoint_of(socket.local_endpoint(gone));
      if (gone) return;
    }
    auto connection =
        std::make_unique<Connection>(shard_, std::move(socket), endpoint_of(peer), *local);
    on_connection_(std::make_unique<PlainStream>(std::move(connection)));
  }

  Shard& shard_;
  const OnConnection on_connection_;
  const Limits limits_;
  Acceptor acceptor_;
  std::optional<ports::Endpoint> local_;  ///< of every connection; nullopt: bound to all addresses
  base::Timer rest_;
  std::atomic<std::uint64_t> pauses_{0};
};

std::expected<std::unique_ptr<Listener>, std::string> Listener::open(
    Shard& shard, std::span<const ports::Endpoint> addresses, const OnConnection& on_connection,
    const Limits& limits, std::span<const Inherited> inherited) {
  std::unique_ptr<Listener> listener(new Listener);
  for (const auto& address : addresses) {
    auto door = std::make_shared<Door>(shard, on_connection, limits);
    const auto given = std::ranges::find(inherited, address, &Inherited::address);
    const auto bound = given == inherited.end() ? door->open(address) : door->adopt(*given);
    if (!bound) return std::unexpected(bound.error());
    listener->endpoints_.push_back(*bound);
    listener->doors_.push_back(std::move(door));
  }
  return listener;
}

std::expected<void, std::string> Listener::check_free(std::span<const ports::Endpoint> addresses) {
  asio::io_context io;
  for (const auto& address : addresses) {
    Acceptor probe(io.get_executor());
    const auto error = bind_to(probe, address, false);
    if (error) return std::unexpected(problem(address, error));
  }
  return {};
}

std::expected<void, std::string> Listener::check_local(std::span<const ports::Endpoint> addresses) {
  asio::io_context io;
  for (const auto& address : addresses) {
    Acceptor probe(io.get_executor());
    const auto error = bind_to(probe, {address.address, 0}, false);
    if (error == boost::system::errc::address_not_available && is_free_all_the_same(io, address)) {
      return std::unexpected(problem(address, error));
    }
  }
  return {};
}

Listener::~Listener() { stop(); }

void Listener::start() {
  for (const auto& door : doors_) Door::start(door);
}

void Listener::stop() noexcept {
  for (const auto& door : doors_) Door::stop(door);
}

std::uint64_t Listener::pauses() const {
  std::uint64_t sum = 0;
  for (const auto& door : doors_) sum += door->pauses();
  return sum;
}

}  // namespace relay::net
