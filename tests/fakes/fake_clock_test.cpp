#include "tests/fakes/fake_clock.hpp"

#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

namespace relay::fakes {
namespace {

using namespace std::chrono_literals;

base::Task<> nap(FakeClock& clock, std::chrono::seconds span, std::vector<int>& order, int number) {
  co_await clock.sleep_until(clock.steady() + span);
  order.push_back(number);
}

base::Task<> retry_daily(FakeClock& clock, std::vector<base::WallTime>& attempts) {
  for (int i = 0; i < 5; ++i) {
    co_await clock.sleep_until(clock.steady() + 24h);
    attempts.push_back(clock.wall());
  }
}

TEST(FakeClock, ReleasesSleepersInOrderOfTheirTimes) {
  boost::asio::io_context io;
  FakeClock clock;
  std::vector<int> order;
  base::spawn_supervised(io.get_executor(), "a", nap(clock, 30s, order, 3));
  base::spawn_supervised(io.get_executor(), "b", nap(clock, 10s, order, 1));
  base::spawn_supervised(io.get_executor(), "c", nap(clock, 10s, order, 2));
  io.poll();
  ASSERT_EQ(clock.sleepers(), 3U);
  clock.advance(9s);
  io.poll();
  EXPECT_TRUE(order.empty());
  clock.advance(21s);
  io.poll();
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
  EXPECT_EQ(clock.sleepers(), 0U);
}

TEST(FakeClock, RunForShowsEachSleeperItsOwnTime) {
  boost::asio::io_context io;
  FakeClock clock;
  std::vector<base::WallTime> attempts;
  base::spawn_supervised(io.get_executor(), "retry", retry_daily(clock, attempts));
  clock.run_for(io, 24h * 5);
  ASSERT_EQ(attempts.size(), 5U);
  EXPECT_EQ(attempts.front(), FakeClock::kStart + 24h);
  EXPECT_EQ(attempts.back(), FakeClock::kStart + 120h);
}

base::Task<> nap_with(FakeClock& clock, std::chrono::seconds span, base::Bell& bell,
                      std::vector<base::WallTime>& woken) {
  for (int i = 0; i < 2; ++i) {
    co_await clock.sleep_until(clock.steady() + span, bell);
    woken.push_back(clock.wall());
  }
}

TEST(FakeClock, ABellEndsASleepBeforeItsTime) {
  boost::asio::io_context io;
  FakeClock clock;
  base::Bell bell;
  std::vector<base::WallTime> woken;
  base::spawn_supervised(io.get_executor(), "a", nap_with(clock, 30s, bell, woken));
  clock.run_for(io, 10s);
  EXPECT_TRUE(woken.empty());
  bell.ring();
  clock.run_for(io, 29s);
  EXPECT_EQ(woken, std::vector{FakeClock::kStart + 10s});
  clock.run_for(io, 2s);
  ASSERT_EQ(woken.size(), 2U);
  EXPECT_EQ(woken.back(), FakeClock::kStart + 40s);
  EXPECT_EQ(clock.sleepers(), 0U);
}

TEST(FakeClock, ASleepDoesNotBeginWhenTheBellHasRung) {
  boost::asio::io_context io;
  FakeClock clock;
  base::Bell bell;
  std::vector<base::WallTime> woken;
  bell.ring();
  base::spawn_supervised(io.get_executor(), "a", nap_with(clock, 30s, bell, woken));
  clock.run_for(io, 30s);
  EXPECT_EQ(woken, (std::vector{FakeClock::kStart, FakeClock::kStart + 30s}));
}

TEST(FakeClock, ABellRungWhenItsSleeperHasDiedHarmsNobody) {
  FakeClock clock;
  base::Bell bell;
  std::vector<base::WallTime> woken;
  {
    boost::asio::io_context io;
    base::spawn_supervised(io.get_executor(), "a", nap_with(clock, 30s, bell, woken));
    io.poll();
  }
  bell.ring();
  EXPECT_EQ(clock.sleepers(), 0U);
}

TEST(FakeClock, ForgetsSleeperWhenItsTaskIsCancelled) {
  boost::asio::io_context io;
  FakeClock clock;
  std::vector<int> order;
  boost::asio::cancellation_signal stop;
  bool ended = false;
  boost::asio::co_spawn(
      io.get_executor(), nap(clock, 10s, order, 1),
      boost::asio::bind_cancellation_slot(
          stop.slot(), [&ended](std::exception_ptr error) { ended = error != nullptr; }));
  io.poll();
  stop.emit(boost::asio::cancellation_type::terminal);
  io.poll();
  EXPECT_TRUE(ended);
  EXPECT_EQ(clock.sleepers(), 0U);
  EXPECT_TRUE(order.empty());
}

TEST(FakeClock, ForgetsSleeperWhenItsShardDies) {
  FakeClock clock;
  std::vector<int> order;
  {
    boost::asio::io_context io;
    base::spawn_supervised(io.get_executor(), "a", nap(clock, 10s, order, 1));
    io.poll();
    ASSERT_EQ(clock.sleepers(), 1U);
  }
  EXPECT_EQ(clock.sleepers(), 0U);
  clock.advance(1h);
}

}  // namespace
}  // namespace relay::fakes
