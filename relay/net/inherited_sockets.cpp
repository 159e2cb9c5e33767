#include "relay/net/inherited_sockets.hpp"

#include <algorithm>

#include <boost/asio/ip/tcp.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "relay/net/io_errors.hpp"

namespace relay::net {

namespace {

/// Our own listeners never do (IPV6_V6ONLY); systemd's do so by default.
bool takes_ipv4(int socket, const boost::asio::ip::tcp::endpoint& name) {
  if (!name.address().is_v6() || !name.address().is_unspecified()) return false;
  int only_ipv6 = 1;
  socklen_t size = sizeof only_ipv6;
  return ::getsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &only_ipv6, &size) == 0 && only_ipv6 == 0;
}

}  // namespace

std::expected<InheritedSockets, std::string> InheritedSockets::take() {
  InheritedSockets taken;
  const int count = sd_listen_fds(1);
  if (count < 0) return std::unexpected("the sockets announced in LISTEN_FDS are not there");
  for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + count; ++fd) {
    taken.sockets_.push_back({{}, fd});
    boost::asio::ip::tcp::endpoint name;
    auto size = static_cast<socklen_t>(name.capacity());
    const bool listening = sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) > 0 &&
                           sd_is_socket(fd, AF_UNIX, 0, -1) == 0 &&
                           ::getsockname(fd, name.data(), &size) == 0;
    if (!listening) {
      return std::unexpected("socket " + std::to_string(fd) +
                             " given by systemd is not a listening TCP socket");
    }
    name.resize(size);
    taken.sockets_.back().address = endpoint_of(name);
    taken.sockets_.back().takes_ipv4 = takes_ipv4(fd, name);
  }
  return taken;
}

InheritedSockets::~InheritedSockets() {
  for (const auto& socket : sockets_) ::close(socket.descriptor);
}

std::vector<ports::GivenSocket> InheritedSockets::given() const {
  std::vector<ports::GivenSocket> all;
  for (const auto& socket : sockets_) all.push_back({socket.address, socket.takes_ipv4});
  return all;
}

std::vector<ports::Endpoint> InheritedSockets::missing(
    std::span<const ports::Endpoint> endpoints) const {
  std::vector<ports::Endpoint> rest;
  std::ranges::copy_if(endpoints, std::back_inserter(rest), [this](const auto& endpoint) {
    return std::ranges::find(sockets_, endpoint, &Listener::Inherited::address) == sockets_.end();
  });
  return rest;
}

}  // namespace relay::net
