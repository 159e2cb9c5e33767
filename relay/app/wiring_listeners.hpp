// Where connections come in, on all shards, while the configuration changes. Part of the
// composition root: names adapters.
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

/// prepare() and apply() by one thread at a time.
class Listeners {
 public:
  using Admit = std::function<void(std::unique_ptr<ports::Stream>, const base::Executor&)>;

  /// An address, and its sockets, one a shard.
  struct Open {
    ports::Endpoint address;
    std::vector<std::unique_ptr<net::Listener>> sockets;
  };

  /// What apply() changes; forgotten, it leaves everything as it was.
  struct Change {
    std::vector<Open> added;
    std::vector<ports::Endpoint> removed;
  };

  /// `shards` outlives it. `admit` gets every connection, on the shard of the executor.
  Listeners(net::ShardPool& shards, Admit admit, net::InheritedSockets given)
      : shards_(shards), admit_(std::move(admit)), given_(std::move(given)) {}

  /// Opens what is not open yet; systemd's sockets for the addresses they have. Nothing accepts.
  /// Error: "192.0.2.1:25: Address already in use".
  std::expected<Change, std::string> prepare(std::span<const ports::Endpoint> wanted);

  /// Sessions of addresses that are given up go on to their end.
  void apply(Change change);

  void stop() noexcept;

 private:
  std::expected<Open, std::string> open(const ports::Endpoint& address);
  bool is_within_ours(const ports::Endpoint& address) const;

  net::ShardPool& shards_;
  const Admit admit_;
  std::optional<net::InheritedSockets> given_;  ///< until they are in use
  std::vector<Open> open_;
};

}  // namespace relay::app
