// A connected TCP socket with deadlines, the common part of plain and TLS streams. Knows no
// protocol. Every transfer is first tried without waiting: most writes and many reads succeed at
// once, for one system call and without the event loop.
#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>

#include "relay/net/deadline_wheel.hpp"
#include "relay/net/shard.hpp"
#include "relay/ports/stream.hpp"

namespace relay::net {

class Connection final : private Interruptible {
 public:
  using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, base::Executor>;

  enum class Ready { ToRead, ToWrite };

  /// `socket` is connected, sends without delay and belongs to the loop of `shard`.
  Connection(Shard& shard, Socket socket, ports::Endpoint peer, ports::Endpoint local);

  /// Waits until octets are there and takes them: try_receive() and wait() in one, with one call of
  /// epoll less. A cancelled task is thrown out of it at the latest on the next call. Precondition:
  /// `into` is not empty and lives until then.
  base::Task<std::expected<std::size_t, ports::IoError>> receive(std::span<char> into,
                                                                 base::Deadline deadline);

  /// The last octets received did not fill their buffer, so the next ones must be waited for.
  bool is_drained() const { return drained_; }

  /// Octets received; 0 if there is nothing yet. Error Closed after the peer's FIN. Precondition:
  /// `into` is not empty.
  std::expected<std::size_t, ports::IoError> try_receive(std::span<char> into);

  /// Octets taken by the kernel; 0 if its buffer is full. Precondition: `octets` is not empty.
  std::expected<std::size_t, ports::IoError> try_send(std::string_view octets);

  /// Waits until a transfer is worth another try; may return too early. Error Timeout at the
  /// deadline. A cancelled task is thrown out of it at the latest on the next call.
  base::Task<std::expected<void, ports::IoError>> wait(Ready what, base::Deadline deadline);

  /// True after several transfers in a row without waiting: take_turn() is due, or a peer as fast
  /// as this relay would keep its session running and starve the shard.
  bool owes_turn() const { return transfers_in_a_row_ >= kTransfersPerTurn; }

  base::Task<> take_turn();

  /// Counts work without waiting that the try_ functions do not count.
  void count_transfer() { ++transfers_in_a_row_; }

  /// The peer has sent octets that are not read yet.
  bool has_unread();

  /// Octets sent, or waiting to be sent, that the peer has not acknowledged.
  std::size_t unacknowledged();

  /// Sends FIN, not RST, so that our last octets still reach a peer that is sending. The shard's
  /// Lingering then owns the socket, unless the peer is known to send nothing more.
  void close() noexcept;

  void expect_silence() { is_silent_ = true; }

  const ports::Endpoint& peer() const { return peer_; }

  const ports::Endpoint& local() const { return local_; }

 private:
  static constexpr int kTransfersPerTurn = 16;

  void interrupt() noexcept override;

  DeadlineWheel& deadlines_;
  Lingering& lingering_;
  Socket socket_;
  const ports::Endpoint peer_;
  const ports::Endpoint local_;
  int transfers_in_a_row_ = 0;
  bool drained_ = true;
  bool is_silent_ = false;  ///< the peer sends nothing more
};

}  // namespace relay::net
