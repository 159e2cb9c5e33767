// Real sockets on loopback, one event loop, turned by the test itself.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <string>

#include "relay/net/dialer.hpp"
#include "relay/net/listener.hpp"
#include "relay/net/shard.hpp"
#include "tests/support/run_task.hpp"

namespace relay::net {

using StreamPtr = std::unique_ptr<ports::Stream>;

using support::run_task;
using support::run_until;
using support::soon;

/// The farewell of the loopback's listener.
inline constexpr std::string_view kFarewell = "421 full\r\n";

class Loopback {
 public:
  explicit Loopback(ClientTls tls = {});

  struct Pair {
    StreamPtr client;
    StreamPtr server;
  };

  /// Both ends of a new connection.
  Pair connect();

  /// A blocking socket of the test's own, connected to the listener, and our end of it.
  struct RawPair {
    int client;
    StreamPtr server;
  };

  RawPair connect_raw();

  ports::Endpoint endpoint() const { return listener->endpoints().front(); }

  Shard shard;
  std::deque<StreamPtr> accepted;
  std::vector<Listener::Lack> lacks;  ///< one for each pause
  std::unique_ptr<Listener> listener;
  TcpDialer dialer;
};

/// A listener whose queue is full drops further SYNs: the nearest loopback has to a black hole.
class BlackHole {
 public:
  BlackHole();
  ~BlackHole();
  BlackHole(const BlackHole&) = delete;
  BlackHole& operator=(const BlackHole&) = delete;

  const ports::Endpoint& endpoint() const { return endpoint_; }

 private:
  int listener_ = -1;
  std::array<int, 4> fillers_{};
  ports::Endpoint endpoint_;
};

/// A blocking TCP socket connected to `remote` (IPv4); -1 on failure.
int connect_socket(const ports::Endpoint& remote);

/// Reads until the end of the stream or `limit` octets.
base::Task<std::string> read_all(ports::Stream& stream, std::size_t limit);

}  // namespace relay::net
