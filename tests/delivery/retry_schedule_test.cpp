#include "relay/delivery/retry_schedule.hpp"

#include <gtest/gtest.h>

namespace relay::delivery {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const base::WallTime kArrived{std::chrono::milliseconds(1'795'500'000'000)};

mail::RetryPolicy policy() {
  mail::RetryPolicy made;
  made.schedule = {minutes(1), minutes(10), hours(1)};
  made.expire = hours(48);
  made.warn_after = hours(4);
  return made;
}

/// A copy tried before, in this run, `age` after it came.
RetryCase at(std::chrono::milliseconds age, std::uint32_t attempts = 5) {
  return {.arrived_at = kArrived,
          .now = kArrived + age,
          .attempts = attempts,
          .previous_at = kArrived + age - minutes(5),
          .clock = {.since = kArrived - hours(1), .jumped_at = {}},
          .warned = false};
}

TEST(RetrySchedule, WaitsLongerEachTimeAndThenTheSame) {
  const auto wait = [](std::uint32_t attempts, double chance) {
    const auto given = at(hours(1), attempts);
    return std::chrono::round<minutes>(decide_retry(given, policy(), chance).next_due - given.now);
  };
  EXPECT_EQ(wait(1, 0.5), minutes(1));
  EXPECT_EQ(wait(2, 0.5), minutes(10));
  EXPECT_EQ(wait(3, 0.5), hours(1));
  EXPECT_EQ(wait(400, 0.5), hours(1));
  EXPECT_EQ(wait(3, 0.0), minutes(48));
  EXPECT_EQ(wait(3, 0.999999), minutes(72));
}

TEST(RetrySchedule, NeverWaitsLongerThanItSays) {
  for (std::uint32_t attempts = 0; attempts < 10; ++attempts) {
    const auto given = at(hours(1), attempts);
    EXPECT_LE(decide_retry(given, policy(), 0.999999).next_due - given.now, longest_wait(policy()));
  }
}

TEST(RetrySchedule, GivesUpAfterTheTimeAndWarnsBefore) {
  EXPECT_FALSE(decide_retry(at(hours(3)), policy(), 0).warn);
  EXPECT_TRUE(decide_retry(at(hours(4)), policy(), 0).warn);
  auto warned = at(hours(5));
  warned.warned = true;
  EXPECT_FALSE(decide_retry(warned, policy(), 0).warn);
  EXPECT_FALSE(decide_retry(at(hours(47)), policy(), 0).expired);
  EXPECT_TRUE(decide_retry(at(hours(48)), policy(), 0).expired);
  EXPECT_FALSE(decide_retry(at(hours(48)), policy(), 0).warn) << "the bounce says it all";
  mail::RetryPolicy silent = policy();
  silent.warn_after = {};
  EXPECT_FALSE(decide_retry(at(hours(40)), silent, 0).warn);
}

/// Age alone proves nothing after a downtime or under a wrong clock.
TEST(RetrySchedule, TriesOnceMoreBeforeAgeDecides) {
  auto first = at(hours(1000), 1);
  first.previous_at = {};
  EXPECT_FALSE(decide_retry(first, policy(), 0).expired) << "never tried before";
  EXPECT_FALSE(decide_retry(first, policy(), 0).warn);
  auto after_restart = at(hours(1000));
  after_restart.clock.since = after_restart.now - minutes(1);
  const auto decision = decide_retry(after_restart, policy(), 0.5);
  EXPECT_FALSE(decision.expired) << "tried before this run only";
  EXPECT_EQ(decision.next_due - after_restart.now, minutes(1)) << "the deciding attempt comes soon";
  auto ten_years_on = at(hours(24 * 3650));
  ten_years_on.clock.since = ten_years_on.now - minutes(1);
  EXPECT_FALSE(decide_retry(ten_years_on, policy(), 0).expired) << "the clock has just jumped";
}

/// Several attempts under a wrong clock prove nothing either; then the time begins anew.
TEST(RetrySchedule, AJumpOfTheClockMakesNothingOlder) {
  auto jumped = at(hours(24 * 3650));
  jumped.clock.jumped_at = jumped.clock.since = jumped.now - hours(3);
  EXPECT_FALSE(decide_retry(jumped, policy(), 0).expired);
  EXPECT_FALSE(decide_retry(jumped, policy(), 0).warn);
  jumped.clock.jumped_at = jumped.clock.since = jumped.now - hours(48);
  EXPECT_TRUE(decide_retry(jumped, policy(), 0).expired);
  // It came while the clock was ahead; now it is right again.
  auto from_the_future = at(hours(-1000));
  from_the_future.clock.since = from_the_future.now - hours(1);
  EXPECT_FALSE(decide_retry(from_the_future, policy(), 0).expired);
  from_the_future.clock.since = from_the_future.now - hours(49);
  EXPECT_TRUE(decide_retry(from_the_future, policy(), 0).expired) << "not in ten years";
}

}  // namespace
}  // namespace relay::delivery
