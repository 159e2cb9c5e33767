// A listener that a flood cannot harm: it greets, answers each line, lets content pass and shakes
// hands, and does nothing else. The control of tests/system/floods.py: the generator of a flood and
// the kernel cost the machine as much here as at the relay.
//
//   bare_listener PORT [PEM]
//
// PEM: certificate and key in one file, for STARTTLS. Says "ready" when it listens. One connection
// gets no more than one read a turn, so that one that never pauses keeps no other from being
// accepted. A line that begins with P (a PROXY header) is not answered.
#include <array>
#include <csignal>
#include <memory>
#include <optional>
#include <unordered_map>

#include <sys/resource.h>

#include "tests/bench/channel.hpp"

namespace {

using namespace relay::bench;

constexpr std::string_view kEndOfContent = "\r\n.\r\n";
constexpr unsigned kLongest = 900;  // seconds that it lives, whatever happens

SSL_CTX* server_context(const char* pem) {
  SSL_CTX* const made = ::SSL_CTX_new(::TLS_server_method());
  if (made == nullptr || ::SSL_CTX_use_certificate_chain_file(made, pem) != 1 ||
      ::SSL_CTX_use_PrivateKey_file(made, pem, SSL_FILETYPE_PEM) != 1) {
    ::ERR_print_errors_fp(stderr);
    std::exit(1);
  }
  ::SSL_CTX_set_mode(made, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Or one call would read KeyUpdates for as long as they come.
  ::SSL_CTX_clear_mode(made, SSL_MODE_AUTO_RETRY);
  return made;
}

class Connection {
 public:
  Connection(int fd, SSL_CTX* tls) : fd_(fd), tls_(tls) { out_.add("220 bare\r\n"); }

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  ~Connection() {
    if (ssl_ != nullptr) ::SSL_free(ssl_);
    ::close(fd_);
  }

  int fd() const { return fd_; }

  /// Reads once. False: it is to be closed.
  bool proceed() {
    waits_to_write_ = false;
    if (!flush()) return false;
    if (waits_to_write_) return true;  // a client that does not read us is not read either
    std::array<char, 16UL * 1024> octets{};
    const ssize_t got = ssl_ == nullptr
                            ? ::recv(fd_, octets.data(), octets.size(), 0)
                            : ::SSL_read(ssl_, octets.data(), static_cast<int>(octets.size()));
    if (got <= 0) return got < 0 && may_wait(got);
    return take({octets.data(), static_cast<std::size_t>(got)}) && flush();
  }

  /// The event that it waits for.
  std::uint32_t events() const { return waits_to_write_ ? EPOLLOUT : EPOLLIN; }

 private:
  /// False: QUIT, or STARTTLS that cannot be.
  bool take(std::string_view octets) {
    in_ += octets;
    std::size_t begin = 0;
    while (true) {
      const std::string_view stop = in_content_ ? kEndOfContent : std::string_view("\n");
      const std::size_t end = in_.find(stop, begin);
      if (end == std::string::npos) break;
      if (!answer(in_[begin])) return false;
      begin = end + stop.size();
    }
    const std::size_t kept = in_content_ ? kEndOfContent.size() - 1 : in_.size();
    in_.erase(0, std::max(begin, in_.size() - std::min(kept, in_.size())));
    return true;
  }

  bool answer(char first) {
    if (!in_content_ && first == 'P') return true;
    if (!in_content_ && first == 'Q') return false;
    if (!in_content_ && first == 'S') return start_tls();
    in_content_ = !in_content_ && first == 'D';
    out_.add(in_content_ ? "354 go\r\n" : "250 ok\r\n");
    return true;
  }

  bool start_tls() {
    out_.add("220 go\r\n");
    if (tls_ == nullptr || ssl_ != nullptr || !out_.flush(fd_) || !out_.empty()) return false;
    ssl_ = ::SSL_new(tls_);
    if (ssl_ == nullptr || ::SSL_set_fd(ssl_, fd_) != 1) give_up("SSL_new");
    ::SSL_set_accept_state(ssl_);
    return true;
  }

  bool flush() {
    const bool open = ssl_ == nullptr
                          ? out_.flush(fd_)
                          : out_.flush_by(
                                [this](const char* octets, std::size_t size) {
                                  return ::SSL_write(ssl_, octets, static_cast<int>(size));
                                },
                                [this](int result) { return may_wait(result); });
    waits_to_write_ = waits_to_write_ || !out_.empty();
    return open;
  }

  bool may_wait(ssize_t result) {
    if (ssl_ == nullptr) return errno == EAGAIN || errno == EINTR;
    const int error = ::SSL_get_error(ssl_, static_cast<int>(result));
    ::ERR_clear_error();
    waits_to_write_ = error == SSL_ERROR_WANT_WRITE;
    return waits_to_write_ || error == SSL_ERROR_WANT_READ;
  }

  int fd_;
  SSL_CTX* tls_;
  SSL* ssl_ = nullptr;
  std::string in_;
  Outgoing out_;
  bool in_content_ = false;
  bool waits_to_write_ = false;
};

class Listener {
 public:
  Listener(std::uint16_t port, SSL_CTX* tls) : fd_(listen_on(port)), tls_(tls) {
    watch(EPOLL_CTL_ADD, fd_, EPOLLIN, nullptr);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> events{};
    while (true) {
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        auto* const connection =
            static_cast<Connection*>(events.at(static_cast<std::size_t>(i)).data.ptr);
        if (connection == nullptr) {
          accept();
        } else if (connection->proceed()) {
          watch(EPOLL_CTL_MOD, connection->fd(), connection->events(), connection);
        } else {
          connections_.erase(connection);
        }
      }
    }
  }

 private:
  void accept() {
    const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto made = std::make_unique<Connection>(fd, tls_);
    watch(EPOLL_CTL_ADD, fd, EPOLLOUT, made.get());  // for the greeting
    connections_.emplace(made.get(), std::move(made));
  }

  void watch(int how, int fd, std::uint32_t events, Connection* connection) const {
    epoll_event event{.events = events, .data = {.ptr = connection}};
    checked(::epoll_ctl(epoll_, how, fd, &event), "epoll_ctl");
  }

  int epoll_ = checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  int fd_;
  SSL_CTX* tls_;
  std::unordered_map<Connection*, std::unique_ptr<Connection>> connections_;
};

/// As a relay has it, so that no attack ends at a limit of the control.
void raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fputs("usage: bare_listener PORT [PEM]\n", stderr);
    return 2;
  }
  ::alarm(kLongest);
  raise_descriptor_limit();
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  Listener listener(static_cast<std::uint16_t>(std::strtoul(arguments[1], nullptr, 10)),
                    count > 2 ? server_context(arguments[2]) : nullptr);
  std::puts("ready");
  std::fflush(stdout);
  listener.run();
}
