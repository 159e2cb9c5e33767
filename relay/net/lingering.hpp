// Sockets that we have finished with. The kernel answers octets that arrive at a closed socket with
// RST, which can destroy our last reply at a peer that is still sending: so such sockets are read
// and discarded for a moment before they are closed.
#pragma once

#include <array>
#include <cstddef>

#include <boost/asio/io_context.hpp>

#include "relay/base/task.hpp"
#include "relay/base/time.hpp"

namespace relay::net {

/// One per shard; calls only from there. Allocates only to start its task, not per socket; if that
/// fails, the socket is closed at once.
class Lingering {
 public:
  /// A socket is closed after this time, or after this many octets.
  static constexpr std::chrono::seconds kSpan{2};
  static constexpr std::size_t kMostOctets = std::size_t{1} << 20U;

  /// If there are more, the oldest is closed.
  static constexpr std::size_t kMostSockets = 128;

  /// Outlives `io`, like DeadlineWheel; end() must be called before `io` is destroyed.
  explicit Lingering(boost::asio::io_context& io) : io_(io) {}

  ~Lingering() { end(); }

  Lingering(const Lingering&) = delete;
  Lingering& operator=(const Lingering&) = delete;

  /// Takes ownership of a connected socket on which nothing more is to be sent.
  void take(int descriptor) noexcept;

  /// For the end of the process: reads what has come. True: all can be closed without loss, for
  /// each peer has acknowledged everything and has sent nothing for kQuiet.
  bool settle(base::SteadyTime now) noexcept;

  static constexpr std::chrono::milliseconds kQuiet{30};

  /// Closes all, and from here on closes at once what it takes.
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
