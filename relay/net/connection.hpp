// A connected TCP socket with deadlines: what plain and TLS streams have in common. Knows no
// protocol. Every transfer is first tried without waiting: most writes and many reads succeed at
// once, and then cost one system call and no trip through the event loop.
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

  /// Waits until octets are there, and takes them: as try_receive() and wait() in one, for one call
  /// to epoll less. A cancelled task is thrown out of it at the latest on the next call.
  /// Precondition: `into` is not empty and lives until then.
  base::Task<std::expected<std::size_t, ports::IoError>> receive(std::span<char> into,
                                                                 base::Deadline deadline);

  /// True when the last octets received did not fill the room there was for them: the next ones
  /// will have to be waited for.
  bool is_drained() const { return drained_; }

  /// Octets received; 0 when there is nothing yet. Closed when the peer has sent its FIN.
  /// Precondition: `into` is not empty.
  std::expected<std::size_t, ports::IoError> try_receive(std::span<char> into);

  /// Octets taken by the kernel; 0 when its buffer is full. Precondition: `octets` is not empty.
  std::expected<std::size_t, ports::IoError> try_send(std::string_view octets);

  /// Waits until a transfer is worth another try; may return too early. Timeout when the deadline
  /// passes. A cancelled task is thrown out of it at the latest on the next call.
  base::Task<std::expected<void, ports::IoError>> wait(Ready what, base::Deadline deadline);

  /// A peer that is as fast as we are would keep its session running for ever and starve the
  /// shard. True after some transfers in a row without waiting; then take_turn() is due.
  bool owes_turn() const { return transfers_in_a_row_ >= kTransfersPerTurn; }

  base::Task<> take_turn();

  /// For work without waiting that no try_ call has counted.
  void count_transfer() { ++transfers_in_a_row_; }

  /// True when the peer has sent octets that nobody has read.
  bool has_unread();

  /// Octets sent, or waiting to be sent, that the peer has not acknowledged.
  std::size_t unacknowledged();

  /// FIN, not RST: what we wrote last must still reach a peer that is sending meanwhile. The socket
  /// is left to the shard's Lingering.
  void close() noexcept;

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
};

}  // namespace relay::net
