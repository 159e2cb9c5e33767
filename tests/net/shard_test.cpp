#include "relay/net/shard.hpp"

#include <atomic>
#include <future>
#include <set>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include "relay/net/system_clock.hpp"

namespace relay::net {
namespace {

using namespace std::chrono_literals;

TEST(ShardPool, RunsEachShardOnItsOwnThread) {
  ShardPool pool(3);
  pool.run();
  std::set<std::thread::id> threads;
  for (const auto& executor : pool.executors()) {
    threads.insert(boost::asio::post(
                       executor, boost::asio::use_future([] { return std::this_thread::get_id(); }))
                       .get());
  }
  EXPECT_EQ(threads.size(), 3U);
  EXPECT_FALSE(threads.contains(std::this_thread::get_id()));
  pool.stop();
  pool.join();
}

TEST(ShardPool, TellsHowLongAShardHasNotAnswered) {  // H-9
  ShardPool pool(2);
  pool.run();
  std::promise<void> release;
  boost::asio::post(pool.at(1).executor(), [held = release.get_future().share()] { held.wait(); });
  const base::SteadyTime asked{1h};
  EXPECT_EQ(pool.silence(asked), 0s);
  EXPECT_EQ(pool.silence(asked + 20s), 20s) << "one of them is busy and owes an answer";
  release.set_value();
  const auto until = std::chrono::steady_clock::now() + 10s;
  while (pool.silence(asked + 30s) > 0s && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_EQ(pool.silence(asked + 30s), 0s);
  pool.stop();
  pool.join();
}

TEST(ShardPool, EndsWithoutHavingRun) {
  ShardPool pool(2);
  boost::asio::post(pool.at(0).executor(), [] { FAIL(); });
}

struct Counting final : Interruptible {
  void interrupt() noexcept override { ++interrupts; }

  int interrupts = 0;
};

TEST(DeadlineWheel, RingsOnceAndNotEarly) {
  Shard shard;
  Counting target;
  const auto at = std::chrono::steady_clock::now() + 30ms;
  {
    const DeadlineWheel::Alarm alarm(shard.deadlines(), at, target);
    EXPECT_EQ(shard.deadlines().armed(), 1U);
    shard.io().run();  // ends by itself: a wheel with nothing armed does not tick
    EXPECT_TRUE(alarm.rang());
  }
  EXPECT_GE(std::chrono::steady_clock::now(), at);
  EXPECT_EQ(target.interrupts, 1);
  EXPECT_EQ(shard.deadlines().armed(), 0U);
}

TEST(DeadlineWheel, RingsForPassedDeadline) {
  Shard shard;
  Counting target;
  const DeadlineWheel::Alarm alarm(shard.deadlines(), std::chrono::steady_clock::now() - 1h,
                                   target);
  shard.io().run();
  EXPECT_TRUE(alarm.rang());
}

TEST(DeadlineWheel, ForgetsAlarmThatIsGone) {
  Shard shard;
  Counting target;
  const DeadlineWheel::Alarm stays(shard.deadlines(), std::chrono::steady_clock::now() + 1ms,
                                   target);
  {
    const DeadlineWheel::Alarm goes(shard.deadlines(), std::chrono::steady_clock::now() + 1ms,
                                    target);
    const DeadlineWheel::Alarm never(shard.deadlines(), base::SteadyTime::max(), target);
    EXPECT_EQ(shard.deadlines().armed(), 2U);
  }
  shard.io().run();
  EXPECT_EQ(target.interrupts, 1);
}

TEST(DeadlineWheel, LeavesAlarmOfALaterLapAlone) {
  Shard shard;
  Counting target;
  // Same slot as a deadline 51.2 s earlier, that is, about now.
  const auto lap = 512 * DeadlineWheel::kTick;
  const DeadlineWheel::Alarm later(shard.deadlines(), std::chrono::steady_clock::now() + lap,
                                   target);
  shard.io().run_for(300ms);
  EXPECT_FALSE(later.rang());
}

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

}  // namespace
}  // namespace relay::net
