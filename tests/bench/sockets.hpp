// The few system calls that the echo relay, the load generator and the sink share: loopback sockets
// that never block, and epoll. Errors end the program: a measurement without its sockets is none.
#pragma once

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace relay::bench {

[[noreturn]] inline void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

inline int checked(int result, const char* what) {
  if (result < 0) give_up(what);
  return result;
}

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

inline int new_socket() {
  const int fd =
      checked(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

/// One of several listeners on the same port; of all addresses, or of 127.0.0.1.
inline int listen_on(std::uint16_t port, bool everywhere = false) {
  const int fd = new_socket();
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  sockaddr_in address = loopback(port);
  if (everywhere) address.sin_addr.s_addr = htonl(INADDR_ANY);
  checked(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  checked(::listen(fd, SOMAXCONN), "listen");
  return fd;
}

/// The connection may still be on its way; what is written before fails with EAGAIN.
inline int connect_to(std::uint16_t port) {
  const int fd = new_socket();
  const sockaddr_in address = loopback(port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0 &&
      errno != EINPROGRESS) {
    give_up("connect");
  }
  return fd;
}

class Epoll {
 public:
  Epoll() : fd_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {}

  Epoll(const Epoll&) = delete;
  Epoll& operator=(const Epoll&) = delete;

  ~Epoll() { ::close(fd_); }

  /// Edge-triggered: after an event, read and write until EAGAIN.
  void add(int fd, std::uint32_t events, void* owner) const {
    epoll_event event{.events = events | EPOLLET, .data = {.ptr = owner}};
    checked(::epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
  }

  std::size_t wait(std::span<epoll_event> events, int timeout_ms) const {
    const int n = ::epoll_wait(fd_, events.data(), static_cast<int>(events.size()), timeout_ms);
    return n < 0 ? 0 : static_cast<std::size_t>(n);
  }

 private:
  int fd_;
};

/// Octets on their way out of a socket that does not block.
class Outgoing {
 public:
  void add(std::string_view octets) { waiting_ += octets; }

  bool empty() const { return sent_ == waiting_.size(); }

  /// Sends what the socket takes now. False: the connection is gone.
  bool flush(int fd) {
    return flush_by([fd](const char* octets,
                         std::size_t size) { return ::send(fd, octets, size, MSG_NOSIGNAL); },
                    [](auto) { return errno == EAGAIN || errno == ENOTCONN || errno == EINTR; });
  }

  /// The same by `send`, which returns how many octets it took; `may_wait` says of another result
  /// whether there will be more later.
  template <class Send, class MayWait>
  bool flush_by(Send send, MayWait may_wait) {
    while (!empty()) {
      const auto n = send(waiting_.data() + sent_, waiting_.size() - sent_);
      if (n <= 0) return may_wait(n);
      sent_ += static_cast<std::size_t>(n);
    }
    waiting_.clear();
    sent_ = 0;
    return true;
  }

 private:
  std::string waiting_;
  std::size_t sent_ = 0;
};

/// Appends all that is there. False: the other side has closed.
inline bool read_all(int fd, std::string& into) {
  char buffer[64 * 1024];
  while (true) {
    const auto n = ::recv(fd, buffer, sizeof buffer, 0);
    if (n > 0) into.append(buffer, static_cast<std::size_t>(n));
    if (n == 0) return false;
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    // A short read has emptied the socket: no second call for EAGAIN.
    if (static_cast<std::size_t>(n) < sizeof buffer) return true;
  }
}

}  // namespace relay::bench
