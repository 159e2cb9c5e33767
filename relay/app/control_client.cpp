#include "relay/app/control_client.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <sstream>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace relay::app {

namespace json = boost::json;

namespace {

/// A descriptor that closes itself.
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

std::expected<std::string, std::string> exchange(int fd, const std::string& path,
                                                 std::string request) {
  request += '\n';
  for (std::size_t sent = 0; sent < request.size();) {
    const ssize_t n = ::send(fd, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return std::unexpected(system_error("cannot write to", path));
    sent += static_cast<std::size_t>(n);
  }
  std::string response;
  std::array<char, 16384> buffer{};
  while (true) {
    const ssize_t n = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (n == 0) return response;
    if (n < 0) return std::unexpected(system_error("no answer on", path));
    response.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

std::expected<ControlAnswer, std::string> parse_answer(const std::string& response) {
  ControlAnswer answer;
  bool ended = false;
  std::istringstream lines(response);
  for (std::string line; std::getline(lines, line);) {
    boost::system::error_code error;
    json::value value = json::parse(line, error);
    if (error || !value.is_object()) return std::unexpected("the daemon's answer is damaged");
    json::object& object = value.get_object();
    if (const json::value* exit = object.if_contains("exit")) {
      answer.exit = static_cast<int>(exit->to_number<std::int64_t>());
      ended = true;
      continue;
    }
    answer.objects.push_back(std::move(object));
    answer.lines.push_back(line);
  }
  if (!ended) return std::unexpected("the daemon's answer was cut short");
  return answer;
}

}  // namespace

std::expected<ControlAnswer, std::string> ask_daemon(const std::string& socket_path,
                                                     const json::object& request,
                                                     std::chrono::seconds timeout) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof address.sun_path) {
    return std::unexpected("socket path too long: " + socket_path);
  }
  std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
  const Descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return std::unexpected(system_error("cannot open a socket for", socket_path));
  set_timeouts(fd.get(), timeout);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return std::unexpected(system_error("the daemon does not answer on", socket_path));
  }
  auto response = exchange(fd.get(), socket_path, json::serialize(request));
  if (!response) return std::unexpected(response.error());
  return parse_answer(*response);
}

}  // namespace relay::app
