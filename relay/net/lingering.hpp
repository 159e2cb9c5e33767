// Connections that we have said goodbye on. The kernel answers octets that arrive at a closed
// socket with RST, and that takes our last reply away from a peer that was still sending: so what
// is closed is read on for a moment, and thrown away.
#pragma once

#include <array>
#include <cstddef>

#include <boost/asio/io_context.hpp>

#include "relay/base/task.hpp"
#include "relay/base/time.hpp"

namespace relay::net {

/// One per shard; calls only from there. Needs no memory for a connection, only for the first after
/// a pause: without it the socket is closed at once.
class Lingering {
 public:
  /// At the latest then a socket is closed, or when it has brought so many octets.
  static constexpr std::chrono::seconds kSpan{2};
  static constexpr std::size_t kMostOctets = std::size_t{1} << 20U;

  /// When more wait, the one that has waited for longest is closed.
  static constexpr std::size_t kMostSockets = 128;

  /// As for DeadlineWheel, it outlives `io`, whose end it is told by end().
  explicit Lingering(boost::asio::io_context& io) : io_(io) {}

  ~Lingering() { end(); }

  Lingering(const Lingering&) = delete;
  Lingering& operator=(const Lingering&) = delete;

  /// Owns the descriptor from now on: a connected socket on which nothing more is to be sent.
  void take(int descriptor) noexcept;

  /// For the end of the process: reads what has come. True when nothing is lost by closing all of
  /// them now: each peer has what we said, and has sent nothing more for kQuiet.
  bool settle(base::SteadyTime now) noexcept;

  static constexpr std::chrono::milliseconds kQuiet{30};

  /// Closes all, and from now on what is taken at once.
  void end() noexcept;

  std::size_t size() const { return count_; }

 private:
  struct Guest {
    int descriptor = -1;
    std::size_t octets = 0;
    base::SteadyTime until;
    base::SteadyTime heard_at;
  };

  base::Task<> sweep();
  bool start() noexcept;
  void look_at_all(base::SteadyTime now) noexcept;
  static bool is_over(Guest& guest, base::SteadyTime now) noexcept;

  boost::asio::io_context& io_;
  std::array<Guest, kMostSockets> guests_;  ///< the first count_, oldest first
  std::size_t count_ = 0;
  bool sweeping_ = false;
  bool ended_ = false;
};

}  // namespace relay::net
