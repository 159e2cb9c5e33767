#include "tests/dns/name_server.hpp"

#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace relay::dns {

namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

struct BoundSocket {
  int descriptor;
  std::uint16_t port;
};

BoundSocket bind_udp() {
  const int descriptor = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  ::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  socklen_t size = sizeof address;
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
  return {descriptor, ntohs(address.sin_port)};
}

}  // namespace

std::optional<std::filesystem::path> NameServer::find() {
  const char* path = std::getenv("PATH");
  std::istringstream folders(std::string(path != nullptr ? path : "") + ":/usr/sbin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const auto program = std::filesystem::path(folder) / "nsd";
    if (::access(program.c_str(), X_OK) == 0) return program;
  }
  return std::nullopt;
}

NameServer::NameServer(const std::filesystem::path& program, const std::string& zone,
                       const std::string& reverse) {
  std::string pattern = (std::filesystem::temp_directory_path() / "dns_test.XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  folder_ = pattern;
  // A port that is free for UDP may be taken for TCP, or by the time nsd asks for it.
  constexpr int kPorts = 10;
  for (int i = 0; i < kPorts; ++i) {
    const auto free_port = bind_udp();
    ::close(free_port.descriptor);
    port_ = free_port.port;
    write_files(zone, reverse);
    start(program);
    if (comes_up()) return;
  }
  throw std::runtime_error("nsd does not answer");
}

/// False: it has ended (its port was taken), or says nothing for thirty seconds.
bool NameServer::comes_up() {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::chrono::steady_clock::now() < limit) {
    if (answers()) return true;
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      return false;
    }
  }
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
  return false;
}

NameServer::~NameServer() {
  if (pid_ > 0) {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string NameServer::address() const { return "127.0.0.1@" + std::to_string(port_); }

void NameServer::write_files(const std::string& zone, const std::string& reverse) const {
  std::ofstream(folder_ / "example.org.zone") << zone;
  if (!reverse.empty()) std::ofstream(folder_ / "reverse.zone") << reverse;
  const std::string folder = folder_.string();
  std::ofstream(folder_ / "nsd.conf")
      << "server:\n  ip-address: 127.0.0.1@" << port_ << "\n  server-count: 1\n  username: \"\"\n"
      << "  chroot: \"\"\n  database: \"\"\n  zonesdir: \"" << folder << "\"\n  pidfile: \""
      << folder << "/nsd.pid\"\n  xfrdfile: \"" << folder << "/xfrd.state\"\n  zonelistfile: \""
      << folder << "/zone.list\"\n  xfrdir: \"" << folder << "\"\n  logfile: \"" << folder
      << "/nsd.log\"\n"
      << "remote-control:\n  control-enable: no\n"
      << "zone:\n  name: example.org\n  zonefile: example.org.zone\n"
      << "zone:\n  name: 2.0.192.in-addr.arpa\n  zonefile: reverse.zone\n"
      // A zone whose file is missing is what nsd answers SERVFAIL for.
      << "zone:\n  name: broken.example\n  zonefile: missing.zone\n";
}

void NameServer::start(const std::filesystem::path& program) {
  const std::string config = (folder_ / "nsd.conf").string();
  std::array<std::string, 4> words{program.string(), "-d", "-c", config};
  std::array<char*, 5> arguments{};
  for (std::size_t i = 0; i < words.size(); ++i) arguments.at(i) = words.at(i).data();
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  const int error =
      ::posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("nsd cannot be started");
}

// One SOA query, waiting a little for the reply.
bool NameServer::answers() const {
  using namespace std::string_view_literals;
  constexpr auto kQuery =
      "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07"
      "example\x03"
      "org\x00\x00\x06\x00\x01"sv;
  const auto [descriptor, port] = bind_udp();
  const timeval patience{.tv_sec = 0, .tv_usec = 50'000};
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const sockaddr_in server = loopback(port_);
  ::sendto(descriptor, kQuery.data(), kQuery.size(), 0, reinterpret_cast<const sockaddr*>(&server),
           sizeof server);
  std::array<char, 512> reply;
  const auto got = ::recv(descriptor, reply.data(), reply.size(), 0);
  ::close(descriptor);
  return got > 12;
}

BlackHole::BlackHole() {
  const auto bound = bind_udp();
  socket_ = bound.descriptor;
  port_ = bound.port;
}

BlackHole::~BlackHole() { ::close(socket_); }

std::string BlackHole::address() const { return "127.0.0.1@" + std::to_string(port_); }

}  // namespace relay::dns
