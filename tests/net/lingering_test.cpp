// A connection that we close while its peer is still sending.
#include "relay/net/lingering.hpp"

#include <array>
#include <functional>
#include <future>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/net/loopback.hpp"

namespace relay::net {
namespace {

constexpr std::string_view kReply = "421 4.3.0 bye\r\n";

struct Visit {
  std::size_t sent = 0;  ///< octets the kernel took from the client
  std::string heard;
  bool ended_well = false;  ///< with a FIN behind what was heard
};

/// Sends so many octets, whatever the server does, and listens then.
Visit talk(int client, std::size_t octets) {
  Visit visit;
  const std::string block(16'384, 'x');
  while (visit.sent < octets) {
    const ssize_t sent = ::send(client, block.data(), block.size(), MSG_NOSIGNAL);
    if (sent <= 0) break;
    visit.sent += static_cast<std::size_t>(sent);
  }
  std::array<char, 256> buffer{};
  ssize_t got = 0;
  while ((got = ::recv(client, buffer.data(), buffer.size(), 0)) > 0) {
    visit.heard.append(buffer.data(), static_cast<std::size_t>(got));
  }
  visit.ended_well = got == 0;
  ::close(client);
  return visit;
}

class LingeringTest : public testing::Test {
 protected:
  /// The server says its reply in that way and closes; the client sends so much from then on.
  Visit visit(std::size_t octets, const std::function<void(ports::Stream&)>& say) {
    auto [client, server] = loopback_.connect_raw();
    say(*server);
    server.reset();
    auto spoken = std::async(std::launch::async,
                             [octets, descriptor = client] { return talk(descriptor, octets); });
    const auto is_over = [&spoken] {
      return spoken.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    };
    EXPECT_TRUE(run_until(loopback_.shard.io(), is_over));
    return spoken.get();
  }

  void write(ports::Stream& stream) {
    EXPECT_TRUE(run_task(loopback_.shard.io(), stream.write(kReply, soon())));
  }

  bool nobody_lingers() {
    return run_until(loopback_.shard.io(),
                     [this] { return loopback_.shard.lingering().size() == 0; });
  }

  Loopback loopback_;
};

TEST_F(LingeringTest, IsSettledWhenClosingTakesNothingAway) {
  Lingering& lingering = loopback_.shard.lingering();
  const auto now = [] { return std::chrono::steady_clock::now(); };
  EXPECT_TRUE(lingering.settle(now()));
  auto [client, server] = loopback_.connect_raw();
  write(*server);
  const auto before = now();
  server.reset();
  ASSERT_EQ(lingering.size(), 1U);
  EXPECT_FALSE(lingering.settle(before)) << "it may be about to send";
  // The peer's system may take some 40 ms to acknowledge.
  EXPECT_TRUE(
      run_until(loopback_.shard.io(), [&] { return lingering.settle(now() + Lingering::kQuiet); }));
  // The peer goes on sending, and is read, as long as the connection is looked at.
  ASSERT_EQ(::send(client, "NOOP\r\n", 6, MSG_NOSIGNAL), 6);
  const auto later = now() + 2 * Lingering::kQuiet;
  EXPECT_FALSE(lingering.settle(later));
  EXPECT_TRUE(lingering.settle(later + Lingering::kQuiet));
  ::close(client);
  EXPECT_TRUE(lingering.settle(now() + Lingering::kQuiet));
  EXPECT_EQ(lingering.size(), 0U);
}

TEST_F(LingeringTest, KeepsTheLastReplyForWhoIsStillSending) {
  constexpr std::size_t kContent = 400'000;
  const auto heard = visit(kContent, [this](ports::Stream& stream) { write(stream); });
  EXPECT_GE(heard.sent, kContent);
  EXPECT_EQ(heard.heard, kReply);
  EXPECT_TRUE(heard.ended_well);
  EXPECT_TRUE(nobody_lingers());
}

TEST_F(LingeringTest, KeepsLastWords) {
  constexpr std::size_t kContent = 400'000;
  const auto heard = visit(kContent, [](ports::Stream& stream) { stream.last_words(kReply); });
  EXPECT_GE(heard.sent, kContent);
  EXPECT_EQ(heard.heard, kReply);
  EXPECT_TRUE(heard.ended_well);
}

TEST_F(LingeringTest, DoesNotReadForEver) {
  constexpr std::size_t kFlood = 256U << 20U;
  const auto heard = visit(kFlood, [this](ports::Stream& stream) { write(stream); });
  EXPECT_LT(heard.sent, kFlood);
  EXPECT_TRUE(nobody_lingers());
}

TEST_F(LingeringTest, DoesNotWaitForEver) {
  auto [client, server] = loopback_.connect_raw();
  server.reset();
  EXPECT_EQ(loopback_.shard.lingering().size(), 1U);
  EXPECT_TRUE(nobody_lingers());
  ::close(client);
}

TEST_F(LingeringTest, ForgetsAtOnceWhoIsGone) {
  auto [client, server] = loopback_.connect_raw();
  ::close(client);
  std::array<char, 16> buffer{};
  EXPECT_FALSE(run_task(loopback_.shard.io(), server->read_some(buffer, soon())));
  server.reset();
  EXPECT_EQ(loopback_.shard.lingering().size(), 0U);
}

TEST_F(LingeringTest, DoesNotWaitForWhoSaidThatItSendsNothingMore) {
  const auto heard = visit(0, [this](ports::Stream& stream) {
    write(stream);
    stream.expect_silence();
  });
  EXPECT_EQ(loopback_.shard.lingering().size(), 0U);
  EXPECT_EQ(heard.heard, kReply);
  EXPECT_TRUE(heard.ended_well);
}

TEST_F(LingeringTest, HoldsSoManySocketsOnly) {
  std::vector<int> clients;
  for (std::size_t i = 0; i < Lingering::kMostSockets + 10; ++i) {
    auto [client, server] = loopback_.connect_raw();
    clients.push_back(client);
    server.reset();
    EXPECT_LE(loopback_.shard.lingering().size(), Lingering::kMostSockets);
  }
  EXPECT_TRUE(nobody_lingers());
  for (const int client : clients) ::close(client);
}

/// A shard that ends with sockets that linger, and with streams that are closed by its end.
TEST(LingeringAtTheEnd, ClosesWhatIsLeft) {
  int client = -1;
  {
    Loopback loopback;
    auto pair = loopback.connect_raw();
    client = pair.client;
    auto other = loopback.connect_raw();
    other.server.reset();
    ::close(other.client);
    boost::asio::co_spawn(
        loopback.shard.executor(),
        [](StreamPtr stream) -> base::Task<> {
          std::array<char, 16> buffer{};
          co_await stream->read_some(buffer, soon());
        }(std::move(pair.server)),
        [](const std::exception_ptr&) {});
    loopback.shard.io().restart();
    loopback.shard.io().poll();
  }
  char octet = 0;
  EXPECT_LE(::recv(client, &octet, 1, 0), 0);
  ::close(client);
}

}  // namespace
}  // namespace relay::net
