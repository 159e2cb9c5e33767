#include "relay/app/control_client.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace relay::app {

namespace json = boost::json;

namespace {

// Longer than any line of an answer: a complete header with every octet escaped.
constexpr std::size_t kMaxLine = 4UL * 1024 * 1024;

/// Closes the descriptor on destruction.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}

  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }

  int get() const { return fd_; }

 private:
  int fd_;
};

std::string system_error(std::string_view what, const std::string& path) {
  return fmt::format("{} {}: {}", what, path, std::strerror(errno));
}

void set_timeouts(int fd, std::chrono::seconds timeout) {
  const timeval limit{.tv_sec = timeout.count(), .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

std::unexpected<ControlFailure> failure(std::string text, bool forbidden = false) {
  return std::unexpected(ControlFailure{.text = std::move(text), .forbidden = forbidden});
}

std::expected<void, ControlFailure> send_all(int fd, const std::string& path,
                                             const std::string& request) {
  for (std::size_t sent = 0; sent < request.size();) {
    const ssize_t n = ::send(fd, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return failure(system_error("cannot write to", path));
    sent += static_cast<std::size_t>(n);
  }
  return {};
}

/// The exit code if this is the closing line; nullopt after passing on any other line.
std::expected<std::optional<int>, ControlFailure> take_line(const std::string& line,
                                                            const TakeLine& take) {
  boost::system::error_code error;
  const json::value value = json::parse(line, error);
  if (error || !value.is_object()) return failure("the daemon's answer is damaged");
  if (const json::value* exit = value.get_object().if_contains("exit")) {
    if (!exit->is_int64()) return failure("the daemon's answer is damaged");
    return static_cast<int>(exit->get_int64());
  }
  take(line, value.get_object());
  return std::nullopt;
}

std::expected<int, ControlFailure> read_answer(int fd, const std::string& path,
                                               const TakeLine& take) {
  std::string received;
  std::array<char, 65536> buffer{};
  while (true) {
    const ssize_t n = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (n == 0) return failure("the daemon's answer was cut short");
    if (n < 0) return failure(system_error("no answer on", path));
    received.append(buffer.data(), static_cast<std::size_t>(n));
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = received.find('\n', begin)) != std::string::npos;
         begin = end + 1) {
      const auto exit = take_line(received.substr(begin, end - begin), take);
      if (!exit) return std::unexpected(exit.error());
      if (*exit) return **exit;
    }
    received.erase(0, begin);
    if (received.size() > kMaxLine) return failure("the daemon's answer is damaged");
  }
}

}  // namespace

std::expected<int, ControlFailure> ask_daemon(const std::string& socket_path,
                                              const json::object& request,
                                              std::chrono::seconds timeout, const TakeLine& take) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof address.sun_path) {
    return failure("socket path too long: " + socket_path);
  }
  std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
  const Descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return failure(system_error("cannot open a socket for", socket_path));
  set_timeouts(fd.get(), timeout);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const bool forbidden = errno == EACCES || errno == EPERM;
    return failure(system_error("the daemon does not answer on", socket_path), forbidden);
  }
  if (auto sent = send_all(fd.get(), socket_path, json::serialize(request) + '\n'); !sent) {
    return std::unexpected(sent.error());
  }
  return read_answer(fd.get(), socket_path, take);
}

}  // namespace relay::app
