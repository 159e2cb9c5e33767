// The listening sockets of one shard.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "relay/net/shard.hpp"
#include "relay/ports/stream.hpp"

namespace relay::net {

/// Every shard has its own sockets on the same addresses (SO_REUSEPORT); the kernel distributes the
/// connections. IPv6 sockets take IPv6 only, so that "[::]" and "0.0.0.0" can be used together.
///
/// Descriptors: if only the reserve is left, a new connection gets `farewell` and is closed, and
/// accepting pauses. So spool, DNS and deliveries, which end sessions and free descriptors, go on.
class Listener {
 public:
  using OnConnection = std::function<void(std::unique_ptr<ports::Stream>)>;

  /// What the process lacks.
  enum class Lack { Descriptors, Memory };

  struct Limits {
    int backlog = 1024;
    int reserved_descriptors = 64;  ///< at most an eighth of the process's limit
    std::chrono::milliseconds pause{250};
    std::string farewell;  ///< sent, if possible, to a connection that cannot be taken
    /// Called on the shard for each pause; must not throw, for there may be no memory left.
    std::function<void(Lack)> on_pause;
  };

  /// A listening socket that another process opened, such as systemd for a socket unit.
  struct Inherited {
    ports::Endpoint address;
    int descriptor = -1;      ///< the caller's; listeners duplicate it
    bool takes_ipv4 = false;  ///< see ports::GivenSocket
  };

  /// Binds all addresses without an inherited socket; port 0 takes a free one (only with one
  /// shard). `on_connection` runs on the shard. Nothing is accepted before start(). Error:
  /// "192.0.2.1:25: Permission denied", for the first address that fails.
  static std::expected<std::unique_ptr<Listener>, std::string> open(
      Shard& shard, std::span<const ports::Endpoint> addresses, const OnConnection& on_connection,
      const Limits& limits, std::span<const Inherited> inherited = {});

  /// To be called once before the first open(): an error if somebody listens on an address. Without
  /// this check SO_REUSEPORT would let a second daemon bind there and get half of our connections.
  static std::expected<void, std::string> check_free(std::span<const ports::Endpoint> addresses);

  /// An error for an address that this host does not have. Other listeners on it do not matter.
  static std::expected<void, std::string> check_local(std::span<const ports::Endpoint> addresses);

  ~Listener();  ///< stops
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void start();          ///< from any thread
  void stop() noexcept;  ///< from any thread, more than once; closes the sockets soon after

  const std::vector<ports::Endpoint>& endpoints() const { return endpoints_; }

  /// How often accepting paused for lack of descriptors or memory.
  std::uint64_t pauses() const;

 private:
  class Door;

  Listener() = default;

  std::vector<std::shared_ptr<Door>> doors_;  // shared with their accept loops
  std::vector<ports::Endpoint> endpoints_;
};

}  // namespace relay::net
