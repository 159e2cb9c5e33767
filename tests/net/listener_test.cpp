#include "relay/net/listener.hpp"

#include <algorithm>
#include <array>

#include <boost/asio/ip/address.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/net/loopback.hpp"

namespace relay::net {
namespace {

using boost::asio::ip::make_address;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

void drop(StreamPtr /*stream*/) {}

TEST(Listener, TakesConnectionsOnSeveralAddresses) {
  Shard shard;
  const std::vector<ports::Endpoint> addresses{{make_address("127.0.0.1"), 0},
                                               {make_address("::1"), 0}};
  std::vector<std::string> peers;
  auto listener = Listener::open(
      shard, addresses,
      [&peers](StreamPtr stream) { peers.push_back(stream->peer().address.to_string()); }, {});
  ASSERT_TRUE(listener) << listener.error();
  (*listener)->start();
  TcpDialer dialer(shard, {});
  for (const auto& endpoint : (*listener)->endpoints()) {
    ASSERT_TRUE(run_task(shard.io(), dialer.connect(endpoint, std::nullopt, soon())));
  }
  ASSERT_TRUE(run_until(shard.io(), [&peers] { return peers.size() == 2; }));
  EXPECT_THAT(peers, testing::UnorderedElementsAre("127.0.0.1", "::1"));
}

TEST(Listener, WildcardsOfBothFamiliesShareAPort) {
  Shard shard;
  const ports::Endpoint v4{make_address("0.0.0.0"), 0};
  const auto first = Listener::open(shard, {&v4, 1}, drop, {});
  ASSERT_TRUE(first) << first.error();
  const ports::Endpoint v6{make_address("::"), (*first)->endpoints().front().port};
  const auto second = Listener::open(shard, {&v6, 1}, drop, {});
  EXPECT_TRUE(second) << second.error();
}

TEST(Listener, ShardsShareAnAddress) {
  Shard one;
  Shard two;
  const ports::Endpoint any{make_address("127.0.0.1"), 0};
  const auto first = Listener::open(one, {&any, 1}, drop, {});
  ASSERT_TRUE(first) << first.error();
  const auto second = Listener::open(two, (*first)->endpoints(), drop, {});
  EXPECT_TRUE(second) << second.error();
}

TEST(Listener, ChecksThatNobodyElseListens) {
  Shard shard;
  const ports::Endpoint any{make_address("127.0.0.1"), 0};
  auto listener = Listener::open(shard, {&any, 1}, drop, {});
  ASSERT_TRUE(listener) << listener.error();
  const auto taken = (*listener)->endpoints();
  const auto busy = Listener::check_free(taken);
  ASSERT_FALSE(busy);
  EXPECT_THAT(busy.error(), AllOf(StartsWith("127.0.0.1:"), HasSubstr("in use")));
  listener->reset();
  shard.io().poll();
  EXPECT_TRUE(Listener::check_free(taken));
}

TEST(Listener, NamesAddressThatCannotBeBound) {
  Shard shard;
  const ports::Endpoint elsewhere{make_address("2001:db8::1"), 25};
  const auto listener = Listener::open(shard, {&elsewhere, 1}, drop, {});
  ASSERT_FALSE(listener);
  EXPECT_THAT(listener.error(), StartsWith("[2001:db8::1]:25: "));
}

/// Of addresses, not of who has them now: systemd may hold one that comes and goes, and a daemon
/// that runs has its own.
TEST(Listener, KnowsTheAddressesOfThisHost) {
  Shard shard;
  const ports::Endpoint any{make_address("127.0.0.1"), 0};
  auto listener = Listener::open(shard, {&any, 1}, drop, {});
  ASSERT_TRUE(listener) << listener.error();
  EXPECT_TRUE(Listener::check_local((*listener)->endpoints()));
  const ports::Endpoint elsewhere{make_address("192.0.2.1"), (*listener)->endpoints().front().port};
  const auto refused = Listener::check_local({&elsewhere, 1});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error(), StartsWith("192.0.2.1:"));

  const int held = ::socket(AF_INET, SOCK_STREAM, 0);
  const int yes = 1;
  ::setsockopt(held, IPPROTO_IP, IP_FREEBIND, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(elsewhere.port);
  address.sin_addr.s_addr = htonl(elsewhere.address.to_v4().to_uint());
  ASSERT_EQ(::bind(held, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(held, 1), 0);
  EXPECT_TRUE(Listener::check_local({&elsewhere, 1}));
  ::close(held);
}

TEST(Listener, TakesNothingAfterStop) {
  Loopback loopback;
  loopback.listener->stop();
  loopback.shard.io().poll();
  EXPECT_EQ(connect_socket(loopback.endpoint()), -1);
}

// The soft limit of descriptors, lowered for one scope.
class DescriptorLimit {
 public:
  explicit DescriptorLimit(int spare) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int lowest_free = ::dup(0);
    ::close(lowest_free);
    rlimit low = before_;
    low.rlim_cur = static_cast<rlim_t>(lowest_free + spare);
    ::setrlimit(RLIMIT_NOFILE, &low);
  }

  ~DescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;

 private:
  rlimit before_{};
};

TEST(Listener, PausesWhenDescriptorsRunOutAndRecovers) {
  Loopback loopback;
  std::vector<int> clients;
  {
    for (int i = 0; i < 30; ++i) {
      clients.push_back(connect_socket(loopback.endpoint()));
      ASSERT_GE(clients.back(), 0);
    }
    const DescriptorLimit limit(12);
    ASSERT_TRUE(run_until(loopback.shard.io(), [&] { return loopback.listener->pauses() > 0; }));
    // The remaining descriptors are for the spool and the resolver.
    EXPECT_LT(loopback.accepted.size(), 12U);
    const int spare = ::dup(0);
    EXPECT_GE(spare, 0);
    ::close(spare);
    // Pausing means that the loop sleeps, not that it asks again and again.
    const auto pauses = loopback.listener->pauses();
    loopback.shard.io().poll();
    EXPECT_EQ(loopback.listener->pauses(), pauses);
    EXPECT_THAT(loopback.lacks, testing::Each(Listener::Lack::Descriptors));
    EXPECT_EQ(loopback.lacks.size(), pauses) << "the operator has to hear of each";
  }
  const auto before = loopback.accepted.size();
  ASSERT_TRUE(
      run_until(loopback.shard.io(), [&] { return loopback.accepted.size() >= before + 10; }));
  // Every client that was turned away got the farewell.
  const auto told = std::ranges::count_if(clients, [](int client) {
    std::array<char, 64> said{};
    return ::recv(client, said.data(), said.size(), MSG_DONTWAIT) > 0 &&
           std::string_view(said.data()) == kFarewell;
  });
  EXPECT_GE(told, 1);
  for (const int client : clients) ::close(client);
}

base::Task<> wait_for_octet(ports::Stream& stream, std::size_t& ended) {
  std::array<char, 1> octet;
  co_await stream.read_some(octet, soon());
  ++ended;
}

TEST(Listener, IdleConnectionsAreCheap) {
  constexpr std::size_t kConnections = 400;  // two descriptors each, under the usual 1,024
  Loopback loopback;
  std::vector<Loopback::Pair> pairs;
  std::size_t ended = 0;
  const auto before = ::mallinfo2().uordblks;
  for (std::size_t i = 0; i < kConnections; ++i) {
    pairs.push_back(loopback.connect());
    base::spawn_supervised(loopback.shard.executor(), "idle",
                           wait_for_octet(*pairs.back().server, ended));
  }
  ASSERT_TRUE(run_until(loopback.shard.io(),
                        [&] { return loopback.shard.deadlines().armed() == kConnections; }));
  const auto each = (::mallinfo2().uordblks - before) / kConnections;
  RecordProperty("octets_per_pair", static_cast<int>(each));
  EXPECT_LT(each, 4096U);
  for (auto& pair : pairs) pair.client->close();
  EXPECT_TRUE(run_until(loopback.shard.io(), [&ended] { return ended == kConnections; }));
  EXPECT_EQ(loopback.shard.deadlines().armed(), 0U);
}

}  // namespace
}  // namespace relay::net
