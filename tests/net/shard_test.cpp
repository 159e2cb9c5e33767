#include "relay/net/shard.hpp"

#include <atomic>
#include <future>
#include <set>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

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

TEST(ShardPool, TellsHowLongAShardHasNotAnswered) {
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
    const DeadlineWheel::Alarm alarm(shard.deadlines(), {at}, target);
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
  const DeadlineWheel::Alarm alarm(shard.deadlines(), {std::chrono::steady_clock::now() - 1h},
                                   target);
  shard.io().run();
  EXPECT_TRUE(alarm.rang());
}

TEST(DeadlineWheel, ForgetsAlarmThatIsGone) {
  Shard shard;
  Counting target;
  const DeadlineWheel::Alarm stays(shard.deadlines(), {std::chrono::steady_clock::now() + 1ms},
                                   target);
  {
    const DeadlineWheel::Alarm goes(shard.deadlines(), {std::chrono::steady_clock::now() + 1ms},
                                    target);
    const DeadlineWheel::Alarm never(shard.deadlines(), {}, target);
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
  const DeadlineWheel::Alarm later(shard.deadlines(), {std::chrono::steady_clock::now() + lap},
                                   target);
  shard.io().run_for(300ms);
  EXPECT_FALSE(later.rang());
}

TEST(DeadlineWheel, RingsAtOnceWhenItsCutIsMade) {
  Shard shard;
  Counting target;
  base::Cut cut;
  {
    const DeadlineWheel::Alarm alarm(shard.deadlines(), {.cut = &cut}, target);
    EXPECT_EQ(shard.deadlines().armed(), 0U) << "it has no time to watch";
    EXPECT_FALSE(alarm.rang());
    cut.make();
    EXPECT_TRUE(alarm.rang());
  }
  EXPECT_EQ(target.interrupts, 1);
  cut.make();
  EXPECT_EQ(target.interrupts, 1) << "nobody waits any more";
}

}  // namespace
}  // namespace relay::net
