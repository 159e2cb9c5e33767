// Sockets that systemd opened for us: socket activation, sd_listen_fds(3).
#pragma once

#include <expected>
#include <span>
#include <string>
#include <vector>

#include "relay/net/listener.hpp"
#include "relay/ports/given_socket.hpp"

namespace relay::net {

/// Closes the sockets when destroyed.
class InheritedSockets {
 public:
  /// Takes them out of the environment. Error: one of them is no listening TCP socket.
  static std::expected<InheritedSockets, std::string> take();

  InheritedSockets() = default;  ///< none
  InheritedSockets(InheritedSockets&&) = default;
  InheritedSockets& operator=(InheritedSockets&&) = delete;
  ~InheritedSockets();

  const std::vector<Listener::Inherited>& sockets() const { return sockets_; }

  std::vector<ports::GivenSocket> given() const;

  /// Those of `endpoints` that have no inherited socket.
  std::vector<ports::Endpoint> missing(std::span<const ports::Endpoint> endpoints) const;

 private:
  std::vector<Listener::Inherited> sockets_;
};

}  // namespace relay::net
