// Where connections come in: the listening sockets of one shard.
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

/// Every shard has its own sockets on the same addresses (SO_REUSEPORT); the kernel spreads the
/// connections. IPv6 addresses take IPv6 only, so "[::]" and "0.0.0.0" stand side by side.
///
/// Descriptors: when only the reserve is left, a new connection hears `farewell`, is closed
/// and accepting pauses, so that spool, DNS and deliveries, which end sessions and free
/// descriptors, can go on.
class Listener {
 public:
  using OnConnection = std::function<void(std::unique_ptr<ports::Stream>)>;

  struct Limits {
    int backlog = 1024;
    int reserved_descriptors = 64;  ///< never more than an eighth of the process's limit
    std::chrono::milliseconds pause{250};
    std::string farewell;  ///< what a connection hears that cannot be taken, if it can be said
  };

  /// A listening socket that somebody else opened, as systemd does for a unit with a socket.
  struct Inherited {
    ports::Endpoint address;
    int descriptor = -1;  ///< stays the caller's; listeners take copies
  };

  /// Binds all addresses that no inherited socket has; port 0 takes a free one (with one shard
  /// only). `on_connection` runs on the shard. Nothing is accepted before start().
  /// Error: "192.0.2.1:25: Permission denied", for the first address that fails.
  static std::expected<std::unique_ptr<Listener>, std::string> open(
      Shard& shard, std::span<const ports::Endpoint> addresses, const OnConnection& on_connection,
      const Limits& limits, std::span<const Inherited> inherited = {});

  /// SO_REUSEPORT would let a second daemon bind beside us and take half of our mail without a
  /// word. Call once before the first open(): an error for an address somebody listens on.
  static std::expected<void, std::string> check_free(std::span<const ports::Endpoint> addresses);

  /// An error for an address that this host does not have; whoever listens there already is no
  /// matter.
  static std::expected<void, std::string> check_local(std::span<const ports::Endpoint> addresses);

  ~Listener();  ///< stops
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void start();          ///< from any thread
  void stop() noexcept;  ///< from any thread, more than once; closes the sockets soon after

  const std::vector<ports::Endpoint>& endpoints() const { return endpoints_; }

  /// How often accepting has paused for want of descriptors or memory.
  std::uint64_t pauses() const;

 private:
  class Door;

  Listener() = default;

  std::vector<std::shared_ptr<Door>> doors_;  // shared with their accept loops
  std::vector<ports::Endpoint> endpoints_;
};

}  // namespace relay::net
