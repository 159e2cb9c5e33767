// Real sockets on loopback, one event loop, turned by the test itself.
#pragma once

#include <array>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/co_spawn.hpp>

#include "relay/net/dialer.hpp"
#include "relay/net/listener.hpp"
#include "relay/net/shard.hpp"

namespace relay::net {

using StreamPtr = std::unique_ptr<ports::Stream>;

inline base::Deadline soon() { return base::Deadline::after(std::chrono::seconds(10)); }

/// Turns the loop until `done` holds; false after ten seconds.
bool run_until(Shard& shard, const std::function<bool()>& done);

/// Turns the loop until the task has ended, and returns what it returned or threw.
template <class T>
T run(Shard& shard, base::Task<T> task) {
  std::optional<T> result;
  std::exception_ptr thrown;
  bool ended = false;
  boost::asio::co_spawn(shard.executor(), std::move(task), [&](std::exception_ptr error, T value) {
    thrown = error;
    result = std::move(value);
    ended = true;
  });
  if (!run_until(shard, [&ended] { return ended; })) throw std::runtime_error("task hangs");
  if (thrown) std::rethrow_exception(thrown);
  return std::move(*result);
}

/// What the loopback's listener says to whom it cannot take.
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
