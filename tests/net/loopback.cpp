#include "tests/net/loopback.hpp"

#include <array>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace relay::net {

Loopback::Loopback(ClientTls tls) : dialer(shard, std::move(tls)) {
  const ports::Endpoint any{boost::asio::ip::make_address("127.0.0.1"), 0};
  auto opened = Listener::open(
      shard, {&any, 1}, [this](StreamPtr stream) { accepted.push_back(std::move(stream)); },
      {.farewell = std::string(kFarewell),
       .on_pause = [this](Listener::Lack lack) { lacks.push_back(lack); }});
  if (!opened) throw std::runtime_error(opened.error());
  listener = std::move(*opened);
  listener->start();
}

Loopback::Pair Loopback::connect() {
  auto client = run_task(shard.io(), dialer.connect(endpoint(), std::nullopt, soon()));
  if (!client || !run_until(shard.io(), [this] { return !accepted.empty(); })) {
    throw std::runtime_error("no connection");
  }
  Pair pair{std::move(*client), std::move(accepted.front())};
  accepted.pop_front();
  return pair;
}

Loopback::RawPair Loopback::connect_raw() {
  const int client = connect_socket(endpoint());
  if (client < 0 || !run_until(shard.io(), [this] { return !accepted.empty(); })) {
    throw std::runtime_error("no connection");
  }
  RawPair pair{client, std::move(accepted.front())};
  accepted.pop_front();
  return pair;
}

BlackHole::BlackHole() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::listen(listener_, 0);
  socklen_t size = sizeof address;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  for (int& filler : fillers_) {
    filler = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ::connect(filler, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  endpoint_ = {boost::asio::ip::make_address("127.0.0.1"), ntohs(address.sin_port)};
}

BlackHole::~BlackHole() {
  for (const int filler : fillers_) ::close(filler);
  ::close(listener_);
}

int connect_socket(const ports::Endpoint& remote) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(remote.port);
  address.sin_addr.s_addr = htonl(remote.address.to_v4().to_uint());
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return descriptor;
  }
  ::close(descriptor);
  return -1;
}

base::Task<std::string> read_all(ports::Stream& stream, std::size_t limit) {
  std::string all;
  std::array<char, 16384> buffer;
  while (all.size() < limit) {
    const auto got = co_await stream.read_some(buffer, soon());
    if (!got) break;
    all.append(buffer.data(), *got);
  }
  co_return all;
}

}  // namespace relay::net
