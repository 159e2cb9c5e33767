#include "relay/delivery/clock_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/memory_spool.hpp"

namespace relay::delivery {
namespace {

using namespace std::chrono_literals;
using fakes::FakeClock;
using testing::ElementsAre;
using testing::IsEmpty;

struct ClockWatchTest : testing::Test {
  FakeClock clock;
  fakes::MemorySpool spool{clock};
  std::vector<std::chrono::milliseconds> jumps;
  ClockWatch watch{spool.delivery(), clock,
                   [this](base::WallTime, std::chrono::milliseconds by) { jumps.push_back(by); }};
};

TEST_F(ClockWatchTest, TrustsAClockThatGoes) {
  const auto first = watch.read();
  EXPECT_EQ(first.now, FakeClock::kStart);
  EXPECT_EQ(first.trust.since, FakeClock::kStart);
  EXPECT_EQ(first.trust.jumped_at, base::WallTime{});
  clock.advance(120h);
  EXPECT_EQ(watch.read().now, FakeClock::kStart + 120h);
  EXPECT_EQ(watch.read().trust.since, FakeClock::kStart);
  EXPECT_THAT(jumps, IsEmpty());
}

/// The very reading by which an outcome is judged is the one that notices.
TEST_F(ClockWatchTest, NoticesAJumpInTheReadingThatComesNext) {
  watch.read();
  for (const auto by : {std::chrono::milliseconds{24h * 3650}, std::chrono::milliseconds{-24h}}) {
    clock.advance(10s);
    clock.jump_wall(by);
    const auto reading = watch.read();
    EXPECT_EQ(reading.now, clock.wall());
    EXPECT_EQ(reading.trust.since, clock.wall());
    EXPECT_EQ(reading.trust.jumped_at, clock.wall());
  }
  EXPECT_THAT(jumps, ElementsAre(24h * 3650, -24h));
  watch.read();
  EXPECT_EQ(jumps.size(), 2U) << "once each";
}

TEST_F(ClockWatchTest, DoesNotMindWhatNtpDoes) {
  watch.read();
  for (const auto by : {59s, -59s, 1s}) {
    clock.jump_wall(by);
    EXPECT_EQ(watch.read().trust.jumped_at, base::WallTime{});
  }
  EXPECT_THAT(jumps, IsEmpty());
}

}  // namespace
}  // namespace relay::delivery
