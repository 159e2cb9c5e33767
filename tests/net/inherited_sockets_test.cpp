#include "relay/net/inherited_sockets.hpp"

#include <cstdlib>
#include <string>

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/net/loopback.hpp"

namespace relay::net {
namespace {

/// A socket at the descriptor where systemd's begin, with the environment that announces it.
class Activation {
 public:
  explicit Activation(bool listening) {
    const int first_free = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int made = ::fcntl(first_free, F_DUPFD_CLOEXEC, 10);
    ::close(first_free);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(made, reinterpret_cast<const sockaddr*>(&name), sizeof name);
    if (listening) ::listen(made, 16);
    socklen_t size = sizeof name;
    ::getsockname(made, reinterpret_cast<sockaddr*>(&name), &size);
    endpoint = {boost::asio::ip::make_address("127.0.0.1"), ntohs(name.sin_port)};
    saved_ = ::fcntl(kFirst, F_DUPFD_CLOEXEC, 10);
    give(made);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDS", "1", 1);
  }

  ~Activation() {
    ::unsetenv("LISTEN_PID");
    ::unsetenv("LISTEN_FDS");
    if (saved_ >= 0) {
      ::dup2(saved_, kFirst);
      ::close(saved_);
    }
  }

  Activation(const Activation&) = delete;
  Activation& operator=(const Activation&) = delete;

  /// Takes this socket in place of the one before.
  static void give(int socket) {
    ::dup2(socket, kFirst);
    ::close(socket);
  }

  ports::Endpoint endpoint;

 private:
  static constexpr int kFirst = 3;
  int saved_ = -1;
};

TEST(InheritedSockets, AListenerUsesThemInsteadOfBinding) {
  Activation activation(true);
  const std::vector<ports::Endpoint> wanted{activation.endpoint};
  const auto inherited = InheritedSockets::take();
  ASSERT_TRUE(inherited) << inherited.error();
  ASSERT_EQ(inherited->sockets().size(), 1U);
  EXPECT_TRUE(inherited->missing(wanted).empty());
  EXPECT_EQ(::getenv("LISTEN_FDS"), nullptr) << "not for our children";

  Shard shard;
  int taken = 0;
  const auto listener =
      Listener::open(shard, wanted, [&taken](StreamPtr) { ++taken; }, {}, inherited->sockets());
  ASSERT_TRUE(listener) << listener.error();
  (*listener)->start();
  const int client = connect_socket(activation.endpoint);
  EXPECT_TRUE(run_until(shard.io(), [&taken] { return taken == 1; }));
  ::close(client);
}

TEST(InheritedSockets, TellsWhichOfThemTakeIPv4) {
  for (const int only_ipv6 : {0, 1}) {
    Activation activation(true);
    const int made = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in6 name{};
    name.sin6_family = AF_INET6;
    ::setsockopt(made, IPPROTO_IPV6, IPV6_V6ONLY, &only_ipv6, sizeof only_ipv6);
    if (made < 0 || ::bind(made, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
      ::close(made);
      GTEST_SKIP() << "no IPv6 here";
    }
    ::listen(made, 16);
    activation.give(made);
    const auto inherited = InheritedSockets::take();
    ASSERT_TRUE(inherited) << inherited.error();
    ASSERT_EQ(inherited->given().size(), 1U);
    EXPECT_TRUE(inherited->given().front().address.address.is_v6());
    EXPECT_EQ(inherited->given().front().takes_ipv4, only_ipv6 == 0);
  }
}

TEST(InheritedSockets, AreNoneWithoutActivation) {
  const auto none = InheritedSockets::take();
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->sockets().empty());
}

TEST(InheritedSockets, MissesWhatWasAnnounced) {
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  ::setenv("LISTEN_FDS", "500", 1);
  const auto refused = InheritedSockets::take();
  ::unsetenv("LISTEN_PID");
  ::unsetenv("LISTEN_FDS");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), "the sockets announced in LISTEN_FDS are not there");
}

TEST(InheritedSockets, RefusesWhatDoesNotListen) {
  Activation activation(false);
  const auto refused = InheritedSockets::take();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), "socket 3 given by systemd is not a listening TCP socket");
}

}  // namespace
}  // namespace relay::net
