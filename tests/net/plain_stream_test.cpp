#include "relay/net/plain_stream.hpp"

#include <thread>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/net/loopback.hpp"

namespace relay::net {
namespace {

using namespace std::chrono_literals;
using ports::IoError;

std::string text_of(const std::expected<std::size_t, IoError>& got, const char* octets) {
  return got ? std::string(octets, *got) : std::string(describe(got.error()));
}

TEST(PlainStream, CarriesOctetsBothWays) {
  Loopback loopback;
  auto [client, server] = loopback.connect();
  std::array<char, 64> buffer;
  ASSERT_TRUE(run_task(loopback.shard.io(), client->write("EHLO a\r\n", soon())));
  auto got = run_task(loopback.shard.io(), server->read_some(buffer, soon()));
  EXPECT_EQ(text_of(got, buffer.data()), "EHLO a\r\n");
  ASSERT_TRUE(run_task(loopback.shard.io(), server->write("250 b\r\n", soon())));
  got = run_task(loopback.shard.io(), client->read_some(buffer, soon()));
  EXPECT_EQ(text_of(got, buffer.data()), "250 b\r\n");
}

TEST(PlainStream, WritesNowWhatThePeerTakes) {
  Loopback loopback;
  auto [client, server] = loopback.connect();
  EXPECT_EQ(server->write_now(""), 0U);
  EXPECT_EQ(server->write_now("250 a\r\n"), 7U);
  std::array<char, 64> buffer;
  auto got = run_task(loopback.shard.io(), client->read_some(buffer, soon()));
  EXPECT_EQ(text_of(got, buffer.data()), "250 a\r\n");
  // A peer that does not read: in the end nothing more is taken, and other tasks have their turn.
  const std::string much(1U << 20U, 'x');
  std::size_t taken = 0;
  for (int i = 0; i < 1000 && server->write_now(much) > 0; ++i) ++taken;
  EXPECT_LT(taken, 17U);
  client.reset();
  server->close();
  EXPECT_EQ(server->write_now("421 bye\r\n"), 0U);
}

TEST(PlainStream, KnowsBothAddresses) {
  Loopback loopback;
  auto [client, server] = loopback.connect();
  EXPECT_EQ(server->local().port, loopback.endpoint().port);
  EXPECT_EQ(server->peer().port, client->local().port);
  EXPECT_EQ(server->peer().address.to_string(), "127.0.0.1");
  EXPECT_FALSE(server->tls());
}

TEST(PlainStream, ReadEndsAtItsDeadline) {
  Loopback loopback;
  auto [client, server] = loopback.connect();
  std::array<char, 64> buffer;
  const auto start = std::chrono::steady_clock::now();
  const auto got =
      run_task(loopback.shard.io(), server->read_some(buffer, base::Deadline::after(50ms)));
  const auto took = std::chrono::steady_clock::now() - start;
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error(), IoError::Timeout);
  EXPECT_GE(took, 50ms);
  EXPECT_LT(took, 2s);
}

TEST(PlainStream, PassedDeadlineWinsOverWaitingOctets) {
  Loopback loopback;
  auto [client, server] = loopback.connect();
  ASSERT_TRUE(run_task(loopback.shard.io(), client->write("x", soon())));
  std::array<char, 64> buffer;
  const auto got =
      run_task(loopback.shard.io(), server->read_some(buffer, base::Deadline::after(-1ms)));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error(), IoError::Timeout);
}

TEST(PlainStream, FarewellIsPossibleAfterReadTimeout) {
  Loopback loopback;
  auto [client, server] = loopback.connect();
  std::array<char, 64> buffer;
  ASSERT_FALSE(
      run_task(loopback.shard.io(), server->read_some(buffer, base::Deadline::after(10ms))));
  ASSERT_TRUE(run_task(loopback.shard.io(), server->write("421 4.4.2 bye\r\n", soon())));
  const auto got = run_task(loopback.shard.io(), client->read_some(buffer, soon()));
  EXPECT_EQ(text_of(got, buffer.data()), "421 4.4.2 bye\r\n");
}

TEST(PlainStream, WriteEndsAtItsDeadlineWhenPeerDoesNotRead) {
  Loopback loopback;
  auto [client, server] = loopback.connect();
  const std::string flood(64U << 20U, 'x');
  const auto sent =
      run_task(loopback.shard.io(), server->write(flood, base::Deadline::after(50ms)));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error(), IoError::Timeout);
  // Half a reply is out; another one would be read as its rest.
  EXPECT_FALSE(run_task(loopback.shard.io(), server->write("250 ok\r\n", soon())));
}

TEST(PlainStream, CarriesMoreThanTheKernelBuffers) {
  Loopback loopback;
  auto [client, server] = loopback.connect();
  const std::string flood(32U << 20U, 'x');
  bool sent = false;
  boost::asio::co_spawn(loopback.shard.executor(), server->write(flood, soon()),
                        [&sent](std::exception_ptr, const auto& result) { sent = !!result; });
  EXPECT_EQ(run_task(loopback.shard.io(), read_all(*client, flood.size())), flood);
  EXPECT_TRUE(run_until(loopback.shard.io(), [&sent] { return sent; }));
}

TEST(PlainStream, DeadlineOfOneDirectionLeavesTheOtherWaiting) {
  Loopback loopback;
  auto [client, server] = loopback.connect();
  std::array<char, 64> buffer;
  std::optional<std::expected<std::size_t, IoError>> got;
  boost::asio::co_spawn(loopback.shard.executor(), server->read_some(buffer, soon()),
                        [&got](std::exception_ptr, auto result) { got = result; });
  const std::string flood(64U << 20U, 'x');
  ASSERT_FALSE(run_task(loopback.shard.io(), server->write(flood, base::Deadline::after(50ms))));
  EXPECT_FALSE(got.has_value());
  ASSERT_TRUE(run_task(loopback.shard.io(), client->write("NOOP\r\n", soon())));
  ASSERT_TRUE(run_until(loopback.shard.io(), [&got] { return got.has_value(); }));
  EXPECT_EQ(text_of(*got, buffer.data()), "NOOP\r\n");
}

TEST(PlainStream, CanAnswerPeerThatHasSentItsFin) {
  Loopback loopback;
  auto [client, server] = loopback.connect_raw();
  ::shutdown(client, SHUT_WR);
  std::array<char, 64> buffer{};
  const auto got = run_task(loopback.shard.io(), server->read_some(buffer, soon()));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error(), IoError::Closed);
  ASSERT_TRUE(run_task(loopback.shard.io(), server->write("250 ok\r\n", soon())));
  EXPECT_EQ(::read(client, buffer.data(), buffer.size()), 8);
  ::close(client);
}

TEST(PlainStream, ReportsReset) {
  Loopback loopback;
  auto [client, server] = loopback.connect_raw();
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(client);
  std::array<char, 64> buffer;
  const auto got = run_task(loopback.shard.io(), server->read_some(buffer, soon()));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error(), IoError::Reset);
}

TEST(PlainStream, LastReplySurvivesCloseWhilePeerWasSending) {
  Loopback loopback;
  auto [client, server] = loopback.connect();
  ASSERT_TRUE(run_task(loopback.shard.io(), client->write("QUIT\r\nNOOP\r\nNOOP\r\n", soon())));
  ASSERT_TRUE(run_task(loopback.shard.io(), server->write("221 bye\r\n", soon())));
  server->close();
  std::array<char, 64> buffer;
  auto got = run_task(loopback.shard.io(), client->read_some(buffer, soon()));
  EXPECT_EQ(text_of(got, buffer.data()), "221 bye\r\n");
  got = run_task(loopback.shard.io(), client->read_some(buffer, soon()));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error(), IoError::Closed);
}

TEST(PlainStream, IsClosedForEveryUseAfterClose) {
  Loopback loopback;
  auto [client, server] = loopback.connect();
  server->close();
  server->close();
  std::array<char, 64> buffer;
  const auto got = run_task(loopback.shard.io(), server->read_some(buffer, soon()));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error(), IoError::Closed);
  const auto sent = run_task(loopback.shard.io(), server->write("x", soon()));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error(), IoError::Closed);
}

TEST(PlainStream, CloseEndsWaitingRead) {
  Loopback loopback;
  auto [client, server] = loopback.connect();
  boost::asio::post(loopback.shard.executor(), [&server] { server->close(); });
  std::array<char, 64> buffer;
  const auto got = run_task(loopback.shard.io(), server->read_some(buffer, soon()));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error(), IoError::Closed);
}

TEST(PlainStream, CancelledReadThrowsInsteadOfWaitingAgain) {
  Loopback loopback;
  auto [client, server] = loopback.connect();
  std::array<char, 64> buffer;
  boost::asio::cancellation_signal stop;
  boost::system::error_code seen;
  bool ended = false;
  boost::asio::co_spawn(
      loopback.shard.executor(), server->read_some(buffer, soon()),
      boost::asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr error, auto) {
        ended = true;
        try {
          if (error) std::rethrow_exception(error);
        } catch (const boost::system::system_error& thrown) {
          seen = thrown.code();
        }
      }));
  loopback.shard.io().poll();
  stop.emit(boost::asio::cancellation_type::terminal);
  ASSERT_TRUE(run_until(loopback.shard.io(), [&ended] { return ended; }));
  EXPECT_EQ(seen, boost::asio::error::operation_aborted);
}

base::Task<std::size_t> read_octet_by_octet(ports::Stream& stream, std::size_t count, bool& over) {
  std::array<char, 1> octet;
  for (std::size_t i = 0; i < count; ++i) {
    const auto got = co_await stream.read_some(octet, soon());
    if (!got) co_return i;
  }
  over = true;
  co_return count;
}

TEST(PlainStream, FastPeerDoesNotStarveTheShard) {
  Loopback loopback;
  auto [client, server] = loopback.connect();
  ASSERT_TRUE(run_task(loopback.shard.io(), client->write(std::string(1000, 'x'), soon())));
  bool over = false;
  bool ran_before_end = false;
  boost::asio::co_spawn(loopback.shard.executor(), read_octet_by_octet(*server, 1000, over),
                        [](std::exception_ptr, std::size_t) {});
  boost::asio::post(loopback.shard.executor(), [&] { ran_before_end = !over; });
  ASSERT_TRUE(run_until(loopback.shard.io(), [&over] { return over; }));
  EXPECT_TRUE(ran_before_end);
}

/// Writes until the peer, which does not read, takes no more.
void fill(Loopback& loopback, ports::Stream& stream) {
  const std::string much(64UL << 20, 'x');
  EXPECT_FALSE(run_task(loopback.shard.io(), stream.write(much, base::Deadline::after(200ms))));
}

TEST(PlainStream, TellsWhatThePeerHasNotAcknowledged) {
  Loopback loopback;
  auto [client, server] = loopback.connect();
  EXPECT_EQ(server->unacknowledged(), 0U);
  ASSERT_TRUE(run_task(loopback.shard.io(), server->write("250 2.0.0 Ok\r\n", soon())));
  EXPECT_TRUE(run_until(loopback.shard.io(), [&server] { return server->unacknowledged() == 0; }))
      << "the peer's TCP has it, though nobody has read it";
  fill(loopback, *server);
  EXPECT_GT(server->unacknowledged(), 0U);
  client->close();
  std::array<char, 64> buffer;
  EXPECT_FALSE(run_task(loopback.shard.io(), server->read_some(buffer, soon())));
  EXPECT_GT(server->unacknowledged(), 0U) << "a peer that is gone has not received it";
  server->close();
  EXPECT_EQ(server->unacknowledged(), 0U);
}

}  // namespace
}  // namespace relay::net
