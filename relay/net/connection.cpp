#include "relay/net/connection.hpp"

#include <cerrno>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "relay/net/io_errors.hpp"

namespace relay::net {

namespace asio = boost::asio;
using ports::IoError;

namespace {

bool would_block(int error_number) { return error_number == EAGAIN || error_number == EWOULDBLOCK; }

}  // namespace

Connection::Connection(Shard& shard, Socket socket, ports::Endpoint peer, ports::Endpoint local)
    : deadlines_(shard.deadlines()),
      lingering_(shard.lingering()),
      socket_(std::move(socket)),
      peer_(std::move(peer)),
      local_(std::move(local)) {
  // Delay acknowledgements: what is read is soon answered, and the acknowledgement travels with the
  // reply, one segment less per command. Content is acknowledged as usual, every second segment.
  const int off = 0;
  ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_QUICKACK, &off, sizeof(off));
}

std::expected<std::size_t, IoError> Connection::try_receive(std::span<char> into) {
  for (;;) {
    const ssize_t got = ::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
    if (got > 0) {
      ++transfers_in_a_row_;
      drained_ = static_cast<std::size_t>(got) < into.size();
      return static_cast<std::size_t>(got);
    }
    if (got == 0) return std::unexpected(IoError::Closed);
    if (would_block(errno)) return 0;
    if (errno == EBADF) return std::unexpected(IoError::Closed);  // our side called close()
    if (errno != EINTR) return std::unexpected(io_error_of(errno));
  }
}

std::expected<std::size_t, IoError> Connection::try_send(std::string_view octets) {
  for (;;) {
    const ssize_t sent =
        ::send(socket_.native_handle(), octets.data(), octets.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
      ++transfers_in_a_row_;
      return static_cast<std::size_t>(sent);
    }
    if (would_block(errno)) return 0;
    if (errno == EBADF) return std::unexpected(IoError::Closed);
    if (errno != EINTR) return std::unexpected(io_error_of(errno));
  }
}

// A read instead of a wait: the socket stays registered for reading, so that a read begins without
// a system call.
base::Task<std::expected<std::size_t, IoError>> Connection::receive(std::span<char> into,
                                                                    base::Deadline deadline) {
  for (;;) {
    if (deadline.passed()) co_return std::unexpected(IoError::Timeout);
    const DeadlineWheel::Alarm alarm(deadlines_, deadline, *this);
    const auto [error, got] = co_await socket_.async_read_some(
        asio::buffer(into.data(), into.size()), asio::as_tuple(base::use_task));
    transfers_in_a_row_ = 0;
    if (got > 0) {
      drained_ = got < into.size();
      co_return got;
    }
    if (alarm.rang() || deadline.passed()) co_return std::unexpected(IoError::Timeout);
    if (!socket_.is_open() || error == asio::error::eof) co_return std::unexpected(IoError::Closed);
    // Interrupted by the alarm of the other direction.
    if (error == asio::error::operation_aborted) continue;
    co_return std::unexpected(io_error_of(error.value()));
  }
}

base::Task<std::expected<void, IoError>> Connection::wait(Ready what, base::Deadline deadline) {
  std::expected<void, IoError> ok;
  if (deadline.passed()) co_return std::unexpected(IoError::Timeout);
  const auto kind = what == Ready::ToRead ? Socket::wait_read : Socket::wait_write;
  const DeadlineWheel::Alarm alarm(deadlines_, deadline, *this);
  const auto [error] = co_await socket_.async_wait(kind, asio::as_tuple(base::use_task));
  transfers_in_a_row_ = 0;
  if (alarm.rang() || deadline.passed()) co_return std::unexpected(IoError::Timeout);
  if (!socket_.is_open()) co_return std::unexpected(IoError::Closed);
  // Interrupted by the alarm of the other direction, or by cancellation: the caller tries again,
  // and a cancelled task is thrown out at its next wait.
  if (error && error != asio::error::operation_aborted) {
    co_return std::unexpected(io_error_of(error.value()));
  }
  co_return ok;
}

base::Task<> Connection::take_turn() {
  transfers_in_a_row_ = 0;
  co_await asio::post(socket_.get_executor(), base::use_task);
}

bool Connection::has_unread() {
  char octet = 0;
  return ::recv(socket_.native_handle(), &octet, 1, MSG_DONTWAIT | MSG_PEEK) > 0;
}

std::size_t Connection::unacknowledged() {
  int octets = 0;
  const bool told = ::ioctl(socket_.native_handle(), SIOCOUTQ, &octets) == 0;
  return told && octets > 0 ? static_cast<std::size_t>(octets) : 0;
}

void Connection::close() noexcept {
  if (!socket_.is_open()) return;
  boost::system::error_code error;
  if (is_silent_ && drained_) {
    socket_.close(error);
    return;
  }
  ::shutdown(socket_.native_handle(), SHUT_WR);
  const int descriptor = socket_.release(error);
  if (!error) lingering_.take(descriptor);
  if (error) socket_.close(error);
}

void Connection::interrupt() noexcept {
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

}  // namespace relay::net
