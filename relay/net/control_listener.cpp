#include "relay/net/control_listener.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <new>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/write.hpp>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relay/base/may_access.hpp"
#include "relay/base/spawn.hpp"
#include "relay/net/io_errors.hpp"

namespace relay::net {

namespace asio = boost::asio;
using ports::IoError;
using Protocol = asio::local::stream_protocol;
using LocalSocket = asio::basic_stream_socket<Protocol, base::Executor>;

namespace {

constexpr auto kAcceptPause = std::chrono::milliseconds(200);

/// The name of a user in /etc/passwd. The network's name services are not asked: they may be slow,
/// and a shard must not block.
std::string name_of(uid_t uid) {
  constexpr std::size_t kLongestEntry = 16'384;
  std::string name;
  std::FILE* const users = std::fopen("/etc/passwd", "re");
  if (users == nullptr) return name;
  std::array<char, kLongestEntry> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  while (name.empty() && ::fgetpwent_r(users, &entry, buffer.data(), buffer.size(), &found) == 0) {
    if (entry.pw_uid == uid) name = entry.pw_name;
  }
  std::fclose(users);
  return name;
}

/// A connection of the command line. It carries one line in and a few out, so plain asynchronous
/// operations are enough; the deadline ends those that hang.
class LocalStream final : public ports::Stream, private Interruptible {
 public:
  LocalStream(Shard& shard, LocalSocket socket)
      : deadlines_(shard.deadlines()), socket_(std::move(socket)) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0) {
      peer_ = ports::LocalUser{.uid = peer.uid, .pid = peer.pid, .name = name_of(peer.uid)};
    }
  }

  base::Task<std::expected<std::size_t, IoError>> read_some(std::span<char> into,
                                                            base::Deadline deadline) override {
    if (deadline.passed()) co_return std::unexpected(IoError::Timeout);
    const DeadlineWheel::Alarm alarm(deadlines_, deadline, *this);
    const auto [error, got] = co_await socket_.async_read_some(
        asio::buffer(into.data(), into.size()), asio::as_tuple(base::use_task));
    if (alarm.rang()) co_return std::unexpected(IoError::Timeout);
    if (error == asio::error::eof) co_return std::unexpected(IoError::Closed);
    if (error) co_return std::unexpected(io_error_of(error.value()));
    co_return got;
  }

  base::Task<std::expected<void, IoError>> write(std::string_view octets,
                                                 base::Deadline deadline) override {
    std::expected<void, IoError> ok;
    if (deadline.passed()) co_return std::unexpected(IoError::Timeout);
    const DeadlineWheel::Alarm alarm(deadlines_, deadline, *this);
    const auto [error, sent] = co_await asio::async_write(
        socket_, asio::buffer(octets.data(), octets.size()), asio::as_tuple(base::use_task));
    if (alarm.rang()) co_return std::unexpected(IoError::Timeout);
    if (error) co_return std::unexpected(io_error_of(error.value()));
    co_return ok;
  }

  void close() noexcept override {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

  std::optional<ports::LocalUser> peer_user() const override { return peer_; }

  const ports::Endpoint& peer() const override { return nowhere_; }

  const ports::Endpoint& local() const override { return nowhere_; }

  std::optional<ports::TlsInfo> tls() const override { return std::nullopt; }

 private:
  void interrupt() noexcept override {
    boost::system::error_code ignored;
    socket_.cancel(ignored);
  }

  DeadlineWheel& deadlines_;
  LocalSocket socket_;
  std::optional<ports::LocalUser> peer_;
  const ports::Endpoint nowhere_;  // a Unix socket has no IP address and port
};

/// Removes a socket file on which nobody listens, so that bind() can succeed. Never waits: a daemon
/// with a full backlog counts as listening.
std::expected<void, std::string> remove_stale(Shard& shard, const std::string& path) {
  struct stat existing{};
  if (::lstat(path.c_str(), &existing) != 0) return {};
  LocalSocket probe(shard.executor());
  boost::system::error_code error;
  probe.open(Protocol(), error);
  if (!error) probe.native_non_blocking(true, error);
  if (error) return std::unexpected("control socket " + path + ": " + error.message());
  // Call connect() directly: with a full backlog, Asio's version would wait for the connection.
  const Protocol::endpoint place(path);
  if (::connect(probe.native_handle(), place.data(), static_cast<socklen_t>(place.size())) == 0) {
    return std::unexpected("another srs-relay answers on " + path);
  }
  if (errno == EAGAIN) {
    return std::unexpected("another srs-relay listens on " + path + " and does not answer");
  }
  if (errno != ECONNREFUSED) {
    return std::unexpected("control socket " + path + ": " + std::strerror(errno));
  }
  if (::unlink(path.c_str()) != 0) {
    return std::unexpected("cannot remove " + path + ": " + std::strerror(errno));
  }
  return {};
}

}  // namespace

std::expected<void, std::string> ControlListener::look_at(const std::string& path) {
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return std::unexpected("control socket path too long: " + path);
  }
  struct stat existing{};
  if (::lstat(path.c_str(), &existing) == 0) {
    if (S_ISSOCK(existing.st_mode)) return {};
    return std::unexpected(path + " exists and is not a socket");
  }
  const auto folder = std::filesystem::path(path).parent_path();
  if (base::may_access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK)) return {};
  return std::unexpected("control socket " + path + ": " + std::strerror(errno));
}

std::expected<std::unique_ptr<ControlListener>, std::string> ControlListener::open(
    Shard& shard, const std::string& path) {
  if (auto possible = look_at(path); !possible) return std::unexpected(possible.error());
  if (auto cleared = remove_stale(shard, path); !cleared) return std::unexpected(cleared.error());
  Acceptor acceptor(shard.executor());
  boost::system::error_code error;
  acceptor.open(Protocol(), error);
  // Nobody may connect between bind() and chmod(), so the file is created with mode 0600.
  const mode_t before = ::umask(0177);
  if (!error) acceptor.bind(Protocol::endpoint(path), error);
  ::umask(before);
  if (!error) acceptor.listen(16, error);
  if (error) return std::unexpected("control socket " + path + ": " + error.message());
  if (::chmod(path.c_str(), 0660) != 0) {
    return std::unexpected("control socket " + path + ": " + std::strerror(errno));
  }
  return std::unique_ptr<ControlListener>(new ControlListener(shard, std::move(acceptor), path));
}

ControlListener::ControlListener(Shard& shard, Acceptor acceptor, std::string path)
    : shard_(shard),
      acceptor_(std::move(acceptor)),
      rest_(shard.executor()),
      path_(std::move(path)) {}

ControlListener::~ControlListener() { stop(); }

void ControlListener::start(OnConnection on_connection) {
  base::spawn_lasting(
      shard_.executor(), "control listener",
      [this, on_connection = std::move(on_connection)] { return accept_loop(on_connection); });
}

base::Task<> ControlListener::accept_loop(OnConnection on_connection) {
  while (!stopped_) {
    bool taken = false;
    try {
      taken = co_await take_next(on_connection);
    } catch (const std::bad_alloc&) {  // costs this connection only
      taken = false;
    }
    if (taken || stopped_) continue;
    rest_.expires_after(kAcceptPause);  // out of descriptors or memory: do not spin
    co_await rest_.async_wait(asio::as_tuple(base::use_task));
  }
}

base::Task<bool> ControlListener::take_next(const OnConnection& on_connection) {
  LocalSocket socket(shard_.executor());
  const auto [error] = co_await acceptor_.async_accept(socket, asio::as_tuple(base::use_task));
  if (error || stopped_) co_return false;
  on_connection(std::make_unique<LocalStream>(shard_, std::move(socket)));
  co_return true;
}

void ControlListener::stop() noexcept {
  if (std::exchange(stopped_, true)) return;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  rest_.cancel();
  ::unlink(path_.c_str());
}

}  // namespace relay::net
