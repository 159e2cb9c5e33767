#include "relay/net/dialer.hpp"

#include <gtest/gtest.h>

#include "tests/net/loopback.hpp"

namespace relay::net {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::make_address;
using ports::IoError;

TEST(TcpDialer, UsesTheSourceAddressItIsGiven) {
  Loopback loopback;
  const auto client =
      run_task(loopback.shard.io(),
               loopback.dialer.connect(loopback.endpoint(), make_address("127.0.0.9"), soon()));
  ASSERT_TRUE(client);
  EXPECT_EQ((*client)->local().address.to_string(), "127.0.0.9");
  ASSERT_TRUE(run_until(loopback.shard.io(), [&] { return !loopback.accepted.empty(); }));
  EXPECT_EQ(loopback.accepted.front()->peer().address.to_string(), "127.0.0.9");
}

struct BadSource {
  const char* address;
};

class TcpDialerSource : public testing::TestWithParam<BadSource> {};

TEST_P(TcpDialerSource, IsNamedWhenUnusable) {
  Loopback loopback;
  const auto client = run_task(
      loopback.shard.io(),
      loopback.dialer.connect(loopback.endpoint(), make_address(GetParam().address), soon()));
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error(), IoError::NoSource);
}

INSTANTIATE_TEST_SUITE_P(Cases, TcpDialerSource,
                         testing::Values(BadSource{"::1"}, BadSource{"192.0.2.1"}));

TEST(TcpDialer, ReportsRefusal) {
  Loopback loopback;
  const auto endpoint = loopback.endpoint();
  loopback.listener->stop();
  loopback.shard.io().poll();
  const auto client =
      run_task(loopback.shard.io(), loopback.dialer.connect(endpoint, std::nullopt, soon()));
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error(), IoError::Refused);
}

TEST(TcpDialer, GivesUpAtTheDeadline) {
  Loopback loopback;
  const BlackHole hole;
  const auto client =
      run_task(loopback.shard.io(),
               loopback.dialer.connect(hole.endpoint(), std::nullopt, base::Deadline::after(50ms)));
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error(), IoError::Timeout);
}

TEST(TcpDialer, DoesNotDialAfterTheDeadline) {
  Loopback loopback;
  const auto client = run_task(
      loopback.shard.io(),
      loopback.dialer.connect(loopback.endpoint(), std::nullopt, base::Deadline::after(-1ms)));
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error(), IoError::Timeout);
}

}  // namespace
}  // namespace relay::net
