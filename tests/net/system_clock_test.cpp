#include "relay/net/system_clock.hpp"

#include <atomic>
#include <thread>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include "tests/net/loopback.hpp"

namespace relay::net {
namespace {

using namespace std::chrono_literals;

base::Task<base::SteadyTime> sleep_then_tell(const ports::Clock& clock, ports::Clock& sleeper,
                                             base::SteadyTime at) {
  co_await sleeper.sleep_until(at);
  co_return clock.steady();
}

TEST(SystemClock, SleepsUntilTheTimeGiven) {
  Shard shard;
  SystemClock clock;
  const auto at = clock.steady() + 20ms;
  auto woken = boost::asio::co_spawn(shard.executor(), sleep_then_tell(clock, clock, at),
                                     boost::asio::use_future);
  shard.io().run();
  EXPECT_GE(woken.get(), at);
}

TEST(SystemClock, WallTimeIsUnixTime) {
  const auto difference = std::chrono::system_clock::now() - SystemClock().wall();
  EXPECT_LT(difference, 1s);
  EXPECT_GE(difference, 0ms);
}

constexpr auto kNever = base::SteadyTime::max();

base::Task<base::SteadyTime> sleep_with(ports::Clock& clock, base::SteadyTime at,
                                        base::Bell& bell) {
  co_await clock.sleep_until(at, bell);
  co_return clock.steady();
}

TEST(SystemClock, SleepsUntilTheTimeGivenWhenNobodyRings) {
  Shard shard;
  SystemClock clock;
  base::Bell bell;
  const auto at = clock.steady() + 20ms;
  EXPECT_GE(run_task(shard.io(), sleep_with(clock, at, bell)), at);
}

TEST(SystemClock, ABellEndsASleep) {
  Shard shard;
  SystemClock clock;
  base::Bell bell;
  std::jthread ringer([&bell] {
    std::this_thread::sleep_for(20ms);
    bell.ring();
  });
  run_task(shard.io(), sleep_with(clock, kNever, bell));  // throws when it takes ten seconds
}

TEST(SystemClock, ASleepDoesNotBeginWhenTheBellHasRung) {
  Shard shard;
  SystemClock clock;
  base::Bell bell;
  bell.ring();
  bell.ring();
  run_task(shard.io(), sleep_with(clock, kNever, bell));
  const auto at = clock.steady() + 20ms;
  EXPECT_GE(run_task(shard.io(), sleep_with(clock, at, bell)), at) << "those rings are used up";
}

TEST(SystemClock, ACancelledSleepThrowsAndLeavesTheBellAlone) {
  Shard shard;
  SystemClock clock;
  base::Bell bell;
  boost::asio::cancellation_signal stop;
  std::exception_ptr thrown;
  boost::asio::co_spawn(shard.executor(), sleep_with(clock, kNever, bell),
                        boost::asio::bind_cancellation_slot(
                            stop.slot(), [&thrown](std::exception_ptr error, base::SteadyTime) {
                              thrown = std::move(error);
                            }));
  shard.io().poll();
  stop.emit(boost::asio::cancellation_type::terminal);
  ASSERT_TRUE(run_until(shard.io(), [&thrown] { return thrown != nullptr; }));
  EXPECT_THROW(std::rethrow_exception(thrown), boost::system::system_error);
  bell.ring();
  run_task(shard.io(), sleep_with(clock, kNever, bell));
}

TEST(SystemClock, ForgetsASleepWhoseShardDies) {
  SystemClock clock;
  base::Bell bell;
  {
    Shard shard;
    boost::asio::co_spawn(shard.executor(), sleep_with(clock, kNever, bell),
                          [](std::exception_ptr, base::SteadyTime) {});
    shard.io().poll();
  }
  bell.ring();
}

base::Task<> count_rings(ports::Clock& clock, base::Bell& bell, std::atomic<int>& woken,
                         int until) {
  while (woken < until) {
    co_await clock.sleep_until(kNever, bell);
    ++woken;
  }
}

/// The next ring comes when the last one was heard: one that is lost stops the dialogue.
TEST(SystemClock, NoRingOfAnotherThreadIsLost) {
  constexpr int kRings = 5000;
  ShardPool pool(1);
  SystemClock clock;
  base::Bell bell;
  std::atomic<int> woken{0};
  base::spawn_supervised(pool.at(0).executor(), "sleeper", count_rings(clock, bell, woken, kRings));
  pool.run();
  const auto limit = std::chrono::steady_clock::now() + 20s;
  for (int ring = 1; ring <= kRings; ++ring) {
    bell.ring();
    while (woken < ring && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
    ASSERT_EQ(woken, ring);
  }
}

base::Task<> nap_briefly(ports::Clock& clock, base::Bell& bell, const std::atomic<bool>& ringing,
                         std::atomic<int>& naps) {
  while (ringing) {
    co_await clock.sleep_until(clock.steady() + std::chrono::microseconds(naps % 100), bell);
    ++naps;
  }
}

/// Rings that come just when the time is over find the sleep gone, and nothing else.
TEST(SystemClock, RingsMayMeetTheEndOfASleep) {
  ShardPool pool(1);
  SystemClock clock;
  base::Bell bell;
  std::atomic<bool> ringing{true};
  std::atomic<int> naps{0};
  auto slept = boost::asio::co_spawn(pool.at(0).executor(), nap_briefly(clock, bell, ringing, naps),
                                     boost::asio::use_future);
  pool.run();
  {
    std::vector<std::jthread> ringers;
    for (int i = 0; i < 2; ++i) {
      ringers.emplace_back([&] {
        while (naps < 5000) bell.ring();
      });
    }
  }
  ringing = false;
  EXPECT_EQ(slept.wait_for(10s), std::future_status::ready);
  EXPECT_GE(naps, 5000);
}

}  // namespace
}  // namespace relay::net
