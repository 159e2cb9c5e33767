// A task that is cut off: its wait ends at once, as at its deadline.
#include <chrono>

#include <boost/asio/steady_timer.hpp>
#include <unistd.h>

#include "tests/net/starttls.hpp"

namespace relay::net {
namespace {

using namespace std::chrono_literals;
using ports::IoError;

class CutOff : public StartTls {
 protected:
  /// The deadline of an operation that is cut off in a moment.
  base::Deadline cut_soon() {
    timer_.expires_after(20ms);
    timer_.async_wait([this](const boost::system::error_code&) { cut_.make(); });
    return base::Deadline{.at = soon().at, .cut = &cut_};
  }

  base::Deadline after_the_cut() { return base::Deadline{.at = soon().at, .cut = &cut_}; }

  void TearDown() override {
    EXPECT_LT(std::chrono::steady_clock::now() - began_, 5s) << "not by the deadline";
  }

  base::Cut cut_;

 private:
  const base::SteadyTime began_ = std::chrono::steady_clock::now();
  boost::asio::steady_timer timer_{loopback_.shard.io()};
};

TEST_F(CutOff, EndsTheConnect) {
  const BlackHole hole;
  const auto client = run_task(loopback_.shard.io(),
                               loopback_.dialer.connect(hole.endpoint(), std::nullopt, cut_soon()));
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error(), IoError::Timeout);
}

TEST_F(CutOff, EndsTheHandshake) {
  Loopback::Pair pair = loopback_.connect();
  const auto client = run_task(
      loopback_.shard.io(),
      loopback_.dialer.start_tls(std::move(pair.client), "mx.example.org", {}, cut_soon()));
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().error, IoError::Timeout);
}

TEST_F(CutOff, EndsARead) {
  Loopback::Pair pair = loopback_.connect();
  std::array<char, 16> buffer;
  auto got = run_task(loopback_.shard.io(), pair.client->read_some(buffer, cut_soon()));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error(), IoError::Timeout);
  EXPECT_TRUE(cut_.made());
  ASSERT_TRUE(run_task(loopback_.shard.io(), pair.server->write("250 ok\r\n", soon())));
  got = run_task(loopback_.shard.io(), pair.client->read_some(buffer, after_the_cut()));
  ASSERT_FALSE(got) << "all later operations, too";
  EXPECT_EQ(got.error(), IoError::Timeout);
}

TEST_F(CutOff, EndsAWrite) {
  Loopback::Pair pair = loopback_.connect();
  const std::string flood(64U << 20U, 'x');
  const auto sent = run_task(loopback_.shard.io(), pair.client->write(flood, cut_soon()));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error(), IoError::Timeout);
}

TEST_F(CutOff, EndsReadsAndWritesInsideTls) {
  const auto ends = shake_hands(loopback_.connect(), "mx.example.org", mail::TlsLevel::May);
  ASSERT_TRUE(ends.client && ends.server);
  std::array<char, 16> buffer;
  const auto got = run_task(loopback_.shard.io(), (*ends.client)->read_some(buffer, cut_soon()));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error(), IoError::Timeout);
  cut_ = {};
  const std::string flood(64U << 20U, 'x');
  const auto sent = run_task(loopback_.shard.io(), (*ends.client)->write(flood, cut_soon()));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error(), IoError::Timeout);
}

TEST_F(CutOff, NothingBeginsAfterIt) {
  cut_.make();
  const auto client =
      run_task(loopback_.shard.io(),
               loopback_.dialer.connect(loopback_.endpoint(), std::nullopt, after_the_cut()));
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error(), IoError::Timeout);
  Loopback::Pair pair = loopback_.connect();
  EXPECT_FALSE(run_task(loopback_.shard.io(), pair.client->write("x", after_the_cut())));
}

TEST_F(CutOff, LeavesTheOtherDirectionAlone) {
  Loopback::Pair pair = loopback_.connect();
  std::array<char, 16> other;
  std::optional<std::size_t> heard;
  boost::asio::co_spawn(loopback_.shard.executor(), pair.server->read_some(other, soon()),
                        [&heard](std::exception_ptr, const auto& got) { heard = got.value_or(0); });
  const std::string flood(64U << 20U, 'x');
  ASSERT_FALSE(run_task(loopback_.shard.io(), pair.server->write(flood, cut_soon())));
  EXPECT_FALSE(heard);
  ASSERT_TRUE(run_task(loopback_.shard.io(), pair.client->write("250 ok\r\n", soon())));
  ASSERT_TRUE(run_until(loopback_.shard.io(), [&heard] { return heard.has_value(); }));
  EXPECT_EQ(*heard, 8U);
}

}  // namespace
}  // namespace relay::net
