// The Unix socket for the command line. Whoever may open this file may use every verb (guarantee
// "The control socket is for its owner and group").
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/local/stream_protocol.hpp>

#include "relay/base/timer.hpp"
#include "relay/net/shard.hpp"
#include "relay/ports/stream.hpp"

namespace relay::net {

class ControlListener {
 public:
  using OnConnection = std::function<void(std::unique_ptr<ports::Stream>)>;

  /// The reasons for which open() would fail, except a live listener on `path`. Creates nothing.
  static std::expected<void, std::string> look_at(const std::string& path);

  /// Binds `path` with mode 0660, replacing a socket on which nobody listens. A live listener is an
  /// error ("another srs-relay answers on …"), even if it hangs; so is a file that is no socket.
  /// Does not wait.
  static std::expected<std::unique_ptr<ControlListener>, std::string> open(Shard& shard,
                                                                           const std::string& path);
  ~ControlListener();
  ControlListener(const ControlListener&) = delete;
  ControlListener& operator=(const ControlListener&) = delete;

  /// Accepts until stop(); `on_connection` runs on the shard. If it throws std::bad_alloc, the
  /// connection is closed and accepting goes on.
  void start(OnConnection on_connection);

  /// On the shard, or after it has stopped. Removes the socket file.
  void stop() noexcept;

 private:
  using Protocol = boost::asio::local::stream_protocol;
  using Acceptor = boost::asio::basic_socket_acceptor<Protocol, base::Executor>;

  ControlListener(Shard& shard, Acceptor acceptor, std::string path);

  base::Task<> accept_loop(OnConnection on_connection);

  /// False: no connection could be taken.
  base::Task<bool> take_next(const OnConnection& on_connection);

  Shard& shard_;
  Acceptor acceptor_;
  base::Timer rest_;
  std::string path_;
  bool stopped_ = false;
};

}  // namespace relay::net
