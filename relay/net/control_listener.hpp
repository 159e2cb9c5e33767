// The Unix socket the command line talks to. Rights to the daemon are rights to this file.
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

  /// Why open() would refuse, whoever answers on `path` now; nothing is made.
  static std::expected<void, std::string> look_at(const std::string& path);

  /// Binds `path` with mode 0660, replacing a socket nobody listens on any more; a live one is an
  /// error ("another srs-relay answers on …"), hanging or not, as is anything that is not a socket.
  /// Does not wait.
  static std::expected<std::unique_ptr<ControlListener>, std::string> open(Shard& shard,
                                                                           const std::string& path);
  ~ControlListener();
  ControlListener(const ControlListener&) = delete;
  ControlListener& operator=(const ControlListener&) = delete;

  /// Accepts until stop(); `on_connection` runs on the shard. Where it throws std::bad_alloc, the
  /// connection is closed and the next one taken.
  void start(OnConnection on_connection);

  /// From the shard, or after it has stopped. Removes the file.
  void stop() noexcept;

 private:
  using Protocol = boost::asio::local::stream_protocol;
  using Acceptor = boost::asio::basic_socket_acceptor<Protocol, base::Executor>;

  ControlListener(Shard& shard, Acceptor acceptor, std::string path);

  base::Task<> accept_loop(OnConnection on_connection);

  /// False when none could be taken.
  base::Task<bool> take_next(const OnConnection& on_connection);

  Shard& shard_;
  Acceptor acceptor_;
  base::Timer rest_;
  std::string path_;
  bool stopped_ = false;
};

}  // namespace relay::net
