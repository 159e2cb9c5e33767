#include "relay/net/pool_dialer.hpp"

#include <future>
#include <thread>

#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/net/loopback.hpp"

namespace relay::net {
namespace {

/// Each shard of a running pool opens a connection and hears on its own thread.
TEST(PoolDialer, OpensConnectionsOnTheShardThatAsks) {
  Loopback server;
  ShardPool pool(3);
  PoolDialer dialer(pool, {});
  pool.run();
  const auto ask = [&](std::thread::id* where) -> base::Task<bool> {
    auto stream = co_await dialer.connect(server.endpoint(), std::nullopt, soon());
    if (!stream) co_return false;
    const auto sent = co_await (*stream)->write("hello", soon());
    *where = std::this_thread::get_id();
    co_return sent.has_value();
  };
  std::vector<std::thread::id> threads(3);
  std::vector<std::future<bool>> asked;
  for (std::size_t i = 0; i < 3; ++i) {
    asked.push_back(
        boost::asio::co_spawn(pool.at(i).executor(), ask(&threads[i]), boost::asio::use_future));
  }
  ASSERT_TRUE(run_until(server.shard.io(), [&] { return server.accepted.size() == 3; }));
  for (auto& one : asked) EXPECT_TRUE(one.get());
  EXPECT_NE(threads[0], threads[1]);
  EXPECT_NE(threads[1], threads[2]);
  for (auto& stream : server.accepted)
    EXPECT_EQ(run_task(server.shard.io(), read_all(*stream, 5)), "hello");
  pool.stop();
}

TEST(PoolDialer, SaysWhyThereIsNoConnection) {
  ShardPool pool(1);
  PoolDialer dialer(pool, {});
  pool.run();
  // A port that was free a moment ago.
  const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(probe, reinterpret_cast<sockaddr*>(&address), size), 0);
  ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(probe);
  const auto ask = [&]() -> base::Task<ports::IoError> {
    const auto stream = co_await dialer.connect(
        {boost::asio::ip::make_address("127.0.0.1"), ntohs(address.sin_port)}, std::nullopt,
        soon());
    co_return stream ? ports::IoError::Closed : stream.error();
  };
  EXPECT_EQ(boost::asio::co_spawn(pool.at(0).executor(), ask(), boost::asio::use_future).get(),
            ports::IoError::Refused);
  pool.stop();
}

}  // namespace
}  // namespace relay::net
