// Time and order of a simulated world.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/simulation/seeded_loops.hpp"
#include "tests/simulation/sim_clock.hpp"

namespace relay::simulation {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

base::Task<> sleep_and_note(SimClock& clock, std::chrono::milliseconds span,
                            std::vector<std::int64_t>& woken) {
  co_await clock.sleep_until(clock.steady() + span);
  woken.push_back(clock.since_start_ms().count());
}

void run_all(SimClock& clock, SeededLoops& loops) {
  do {
    ASSERT_TRUE(loops.run_dry(10'000));
  } while (clock.step());
}

TEST(SimClock, WakesEachSleeperAtTheTimeItSleptFor) {
  SimClock clock;
  SeededLoops loops(2, SeededLoops::Order::Any, Random(1));
  std::vector<std::int64_t> woken;
  for (const auto span : {300ms, 100ms, 200ms}) {
    base::spawn_supervised(loops.executor(0), "sleeper", sleep_and_note(clock, span, woken));
  }
  run_all(clock, loops);
  EXPECT_THAT(woken, ElementsAre(100, 200, 300));
}

TEST(SimClock, StartsAtTheSameMomentInEveryRun) {
  const SimClock clock;
  EXPECT_EQ(clock.steady(), SimClock::kSteadyStart);
  EXPECT_EQ(clock.wall(), SimClock::kWallStart);
}

TEST(SimClock, DoesNotRunWhatWasCancelled) {
  SimClock clock;
  int run = 0;
  const auto first = clock.in(10ms, [&] { ++run; });
  clock.in(20ms, [&] { run += 10; });
  clock.cancel(first);
  clock.cancel(first);
  while (clock.step()) {
  }
  EXPECT_EQ(run, 10);
}

TEST(SimClock, KeepsItsHeapSmallWhenAlmostEverythingIsCancelled) {
  SimClock clock;
  for (int i = 0; i < 100'000; ++i) clock.cancel(clock.in(1h, [] { FAIL(); }));
  EXPECT_FALSE(clock.next());
}

base::Task<> ring_late(SimClock& clock, base::Bell& bell) {
  co_await clock.sleep_until(clock.steady() + 5ms);
  bell.ring();
}

base::Task<> wait_for_bell(SimClock& clock, base::Bell& bell, std::vector<std::int64_t>& woken) {
  co_await clock.sleep_until(clock.steady() + 1h, bell);
  woken.push_back(clock.since_start_ms().count());
  co_await clock.sleep_until(clock.steady() + 10ms, bell);  // the ring was used up
  woken.push_back(clock.since_start_ms().count());
  bell.ring();
  co_await clock.sleep_until(clock.steady() + 10ms, bell);  // and this one was kept
  woken.push_back(clock.since_start_ms().count());
}

TEST(SimClock, EndsASleepWhenTheBellRings) {
  SimClock clock;
  SeededLoops loops(2, SeededLoops::Order::Any, Random(1));
  base::Bell bell;
  std::vector<std::int64_t> woken;
  base::spawn_supervised(loops.executor(0), "sleeper", wait_for_bell(clock, bell, woken));
  base::spawn_supervised(loops.executor(1), "ringer", ring_late(clock, bell));
  run_all(clock, loops);
  EXPECT_THAT(woken, ElementsAre(5, 15, 15));
}

TEST(SimClock, ThrowsOutOfASleepThatIsCancelled) {
  SimClock clock;
  SeededLoops loops(1, SeededLoops::Order::Any, Random(1));
  boost::asio::cancellation_signal cancel;
  std::vector<std::int64_t> woken;
  std::exception_ptr end;
  boost::asio::co_spawn(loops.executor(0), sleep_and_note(clock, 1h, woken),
                        boost::asio::bind_cancellation_slot(
                            cancel.slot(), [&end](std::exception_ptr error) { end = error; }));
  ASSERT_TRUE(loops.run_dry(100));
  cancel.emit(boost::asio::cancellation_type::terminal);
  ASSERT_TRUE(loops.run_dry(100));
  EXPECT_TRUE(end);
  EXPECT_FALSE(clock.next());
}

TEST(SimClock, ForgetsWhoSleptWhenTheirProcessDies) {
  SimClock clock;
  std::vector<std::int64_t> woken;
  {
    SeededLoops loops(2, SeededLoops::Order::Any, Random(1));
    base::spawn_supervised(loops.executor(0), "sleeper", sleep_and_note(clock, 1s, woken));
    ASSERT_TRUE(loops.run_dry(100));
    loops.halt();
    clock.forget_sleepers();
  }
  EXPECT_FALSE(clock.step());
  EXPECT_THAT(woken, ElementsAre());
}

std::string order_of(SeededLoops::Order order, std::uint64_t seed) {
  SeededLoops loops(3, order, Random(seed));
  std::string ran;
  for (std::size_t i = 0; i < 3; ++i) {
    for (int step = 0; step < 6; ++step) {
      boost::asio::post(loops.executor(i), [&ran, i] { ran += static_cast<char>('a' + i); });
    }
  }
  EXPECT_EQ(loops.run_dry(100), 18U);
  return ran;
}

TEST(SeededLoops, RepeatFromTheSeed) {
  for (const auto order :
       {SeededLoops::Order::Any, SeededLoops::Order::Sticky, SeededLoops::Order::Ranked}) {
    EXPECT_EQ(order_of(order, 7), order_of(order, 7));
    std::set<std::string> seen;
    for (std::uint64_t seed = 0; seed < 50; ++seed) seen.insert(order_of(order, seed));
    EXPECT_GT(seen.size(), 5U);
  }
}

TEST(SeededLoops, LeaveADelayedLoopAlone) {
  SeededLoops loops(2, SeededLoops::Order::Any, Random(3));
  int run = 0;
  boost::asio::post(loops.executor(1), [&run] { ++run; });
  loops.delay(1, true);
  EXPECT_EQ(loops.run_dry(10), 0U);
  loops.delay(1, false);
  EXPECT_EQ(loops.run_dry(10), 1U);
  EXPECT_EQ(run, 1);
}

void post_for_ever(base::Executor executor) {
  boost::asio::post(executor, [executor] { post_for_ever(executor); });
}

TEST(SeededLoops, SayWhenTheyNeverGetQuiet) {
  SeededLoops loops(1, SeededLoops::Order::Any, Random(3));
  post_for_ever(loops.executor(0));
  EXPECT_FALSE(loops.run_dry(1000));
}

TEST(Random, IsTheSameOnEveryMachine) {
  Random random(42);
  EXPECT_EQ(random.next(), 1546998764402558742U);
  EXPECT_EQ(random.next(), 6990951692964543102U);
}

TEST(Random, DrawsSpansOfEveryOrderOfMagnitude) {
  Random random(1);
  int short_ones = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto span = random.span(10ms, 100s);
    ASSERT_GE(span, 10ms);
    ASSERT_LE(span, 100s);
    short_ones += span < 1s ? 1 : 0;
  }
  EXPECT_GT(short_ones, 20);
}

}  // namespace
}  // namespace relay::simulation
