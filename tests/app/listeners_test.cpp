// Addresses that come and go while policies change.
#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include <boost/asio/ip/address.hpp>
#include <gtest/gtest.h>
#include <unistd.h>

#include "relay/app/wiring_listeners.hpp"
#include "tests/net/loopback.hpp"

namespace relay::app {
namespace {

using namespace std::chrono_literals;

/// An address with a port that was free a moment ago.
ports::Endpoint free_endpoint() {
  net::Shard shard;
  const ports::Endpoint any{boost::asio::ip::make_address("127.0.0.1"), 0};
  const auto listener = net::Listener::open(shard, {&any, 1}, [](const auto&) {}, {});
  return listener ? (*listener)->endpoints().front() : any;
}

/// A client may stand at an address as soon as it is prepared. It must not be let in under a policy
/// that knows nothing of the address.
TEST(Listeners, AcceptNobodyBeforeThePolicyOfTheAddressIsPublished) {
  net::ShardPool shards(1);
  std::atomic<bool> published{false};
  std::atomic<int> under_old{0};
  std::atomic<int> under_new{0};
  Listeners listeners(
      shards,
      [&](const std::unique_ptr<ports::Stream>&, const base::Executor&) {
        ++(published ? under_new : under_old);
      },
      [](net::Listener::Lack) {}, net::InheritedSockets());
  shards.run();
  const ports::Endpoint address = free_endpoint();
  auto change = listeners.prepare(std::array{address});
  ASSERT_TRUE(change) << change.error();
  const int client = net::connect_socket(address);
  ASSERT_GE(client, 0);
  listeners.apply(std::move(*change), [&] {
    std::this_thread::sleep_for(200ms);  // certificates may be looked at meanwhile
    published = true;
  });
  for (int i = 0; i < 1000 && under_new + under_old == 0; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(under_old, 0);
  EXPECT_EQ(under_new, 1);
  ::close(client);
  listeners.stop();
  shards.stop();
  shards.join();
}

}  // namespace
}  // namespace relay::app
