#include "relay/net/plain_stream.hpp"

#include <utility>

namespace relay::net {

using ports::IoError;

PlainStream::PlainStream(std::unique_ptr<Connection> connection)
    : connection_(std::move(connection)),
      peer_(connection_->peer()),
      local_(connection_->local()) {}

PlainStream::~PlainStream() { close(); }

base::Task<std::expected<std::size_t, IoError>> PlainStream::read_some(std::span<char> into,
                                                                       base::Deadline deadline) {
  // Most reads wait: they need no coroutine around the one that does.
  if (connection_ && connection_->is_drained()) return connection_->receive(into, deadline);
  return read_at_once(into, deadline);
}

base::Task<std::expected<std::size_t, IoError>> PlainStream::read_at_once(std::span<char> into,
                                                                          base::Deadline deadline) {
  if (!connection_) co_return std::unexpected(IoError::Closed);
  if (deadline.passed()) co_return std::unexpected(IoError::Timeout);
  if (connection_->owes_turn()) co_await connection_->take_turn();
  const auto got = connection_->try_receive(into);
  if (!got || *got > 0) co_return got;
  co_return co_await connection_->receive(into, deadline);
}

base::Task<std::expected<void, IoError>> PlainStream::write(std::string_view octets,
                                                            base::Deadline deadline) {
  std::expected<void, IoError> result;
  while (!octets.empty() && result) {
    if (!connection_ || write_broken_) co_return std::unexpected(IoError::Closed);
    if (connection_->owes_turn()) co_await connection_->take_turn();
    const auto sent =
        deadline.passed() ? std::unexpected(IoError::Timeout) : connection_->try_send(octets);
    if (!sent) {
      result = std::unexpected(sent.error());
    } else if (*sent == 0) {
      result = co_await connection_->wait(Connection::Ready::ToWrite, deadline);
    } else {
      octets.remove_prefix(*sent);
    }
  }
  // Some octets may have been sent: another write would continue the broken one.
  if (!result) write_broken_ = true;
  co_return result;
}

std::size_t PlainStream::write_now(std::string_view octets) noexcept {
  if (octets.empty() || !connection_ || write_broken_ || connection_->owes_turn()) return 0;
  return connection_->try_send(octets).value_or(0);
}

base::Task<std::expected<void, IoError>> PlainStream::wait_readable(base::Deadline deadline) {
  if (!connection_) co_return std::unexpected(IoError::Closed);
  co_return co_await connection_->wait(Connection::Ready::ToRead, deadline);
}

void PlainStream::close() noexcept {
  if (connection_) connection_->close();
}

void PlainStream::last_words(std::string_view octets) noexcept {
  if (!connection_ || write_broken_) return;
  const auto sent = connection_->try_send(octets);
  static_cast<void>(sent);  // best effort
}

std::unique_ptr<Connection> PlainStream::release() { return std::exchange(connection_, nullptr); }

}  // namespace relay::net
