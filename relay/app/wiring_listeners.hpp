// Listening sockets on all shards, and their changes by a reload. Part of the composition root:
// names adapters.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "relay/net/inherited_sockets.hpp"
#include "relay/net/listener.hpp"
#include "relay/net/shard.hpp"

namespace relay::app {

/// prepare() and apply() must be called by one thread at a time.
class Listeners {
 public:
  using Admit = std::function<void(std::unique_ptr<ports::Stream>, const base::Executor&)>;
  using OnPause = std::function<void(net::Listener::Lack)>;

  /// An address and its sockets, one per shard.
  struct Open {
    ports::Endpoint address;
    std::vector<std::unique_ptr<net::Listener>> sockets;
  };

  /// What apply() will change. Discarding it changes nothing.
  struct Change {
    std::vector<Open> added;
    std::vector<ports::Endpoint> removed;
  };

  /// `shards` must outlive this object. `admit` gets every connection, on the shard of the
  /// executor. `on_pause`: see net::Listener::Limits.
  Listeners(net::ShardPool& shards, Admit admit, OnPause on_pause, net::InheritedSockets given)
      : shards_(shards),
        admit_(std::move(admit)),
        on_pause_(std::move(on_pause)),
        given_(std::move(given)) {}

  /// Opens the addresses that are not open yet, with systemd's sockets where there are any. Nothing
  /// is accepted yet. Error: "192.0.2.1:25: Address already in use".
  std::expected<Change, std::string> prepare(std::span<const ports::Endpoint> wanted);

  /// Closes addresses, calls `publish`, and begins to accept on the new ones: no connection is
  /// accepted under a policy that knows nothing of its address. Sessions from addresses that are
  /// closed go on until they end.
  void apply(Change change, const std::function<void()>& publish = {});

  void stop() noexcept;

 private:
  std::expected<Open, std::string> open(const ports::Endpoint& address);
  bool is_within_ours(const ports::Endpoint& address) const;

  net::ShardPool& shards_;
  const Admit admit_;
  const OnPause on_pause_;
  std::optional<net::InheritedSockets> given_;  ///< until apply()
  std::vector<Open> open_;
};

}  // namespace relay::app
