#include "relay/base/rate_table.hpp"

#include <gtest/gtest.h>

namespace relay::base {
namespace {

using std::chrono::seconds;

const SteadyTime kStart{std::chrono::hours(1000)};
constexpr Rate kTenAMinute{10, seconds(60)};

TEST(RateTable, GivesTheCountAtOnceAndThenAsTimePasses) {
  RateTable table;
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(table.take("a", kTenAMinute, kStart)) << i;
  EXPECT_FALSE(table.take("a", kTenAMinute, kStart));
  EXPECT_FALSE(table.take("a", kTenAMinute, kStart + seconds(5)));
  EXPECT_TRUE(table.take("a", kTenAMinute, kStart + seconds(7)));
  EXPECT_FALSE(table.take("a", kTenAMinute, kStart + seconds(7)));
  int taken = 0;
  while (taken < 100 && table.take("a", kTenAMinute, kStart + seconds(3600))) ++taken;
  EXPECT_EQ(taken, 10) << "what is not used is not saved up";
}

TEST(RateTable, KeepsKeysApart) {
  RateTable table;
  while (table.take("a", kTenAMinute, kStart)) {
  }
  EXPECT_FALSE(table.allows("a", kTenAMinute, kStart));
  EXPECT_TRUE(table.allows("b", kTenAMinute, kStart));
  EXPECT_TRUE(table.take("b", kTenAMinute, kStart));
}

TEST(RateTable, AskingCostsNothing) {
  RateTable table;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(table.allows("a", {1, seconds(60)}, kStart));
  EXPECT_TRUE(table.take("a", {1, seconds(60)}, kStart));
  EXPECT_FALSE(table.allows("a", {1, seconds(60)}, kStart));
}

TEST(RateTable, ACountOfZeroAllowsNothing) {
  RateTable table;
  EXPECT_FALSE(table.allows("a", {0, seconds(60)}, kStart));
  EXPECT_FALSE(table.take("a", {0, seconds(60)}, kStart));
}

TEST(RateTable, FollowsAChangedRate) {
  RateTable table;
  for (int i = 0; i < 10; ++i) table.take("a", kTenAMinute, kStart);
  EXPECT_FALSE(table.take("a", kTenAMinute, kStart));
  EXPECT_TRUE(table.take("a", {20, seconds(60)}, kStart));
}

TEST(RateTable, StandsAClockThatGoesBack) {
  RateTable table;
  EXPECT_TRUE(table.take("a", {1, seconds(60)}, kStart));
  EXPECT_FALSE(table.take("a", {1, seconds(60)}, kStart - seconds(3600)));
}

/// Keys are the attacker's to choose; memory is not.
TEST(RateTable, NeverGrowsAndForgetsTheQuietestFirst) {
  RateTable table(3);
  for (const char* key : {"a", "b", "c"}) table.take(key, {1, seconds(60)}, kStart);
  EXPECT_FALSE(table.take("a", {1, seconds(60)}, kStart));  // used again: "b" is the quietest now
  for (int i = 0; i < 1; ++i) table.take("d", {1, seconds(60)}, kStart);
  EXPECT_EQ(table.size(), 3U);
  EXPECT_FALSE(table.allows("a", {1, seconds(60)}, kStart));
  EXPECT_TRUE(table.allows("b", {1, seconds(60)}, kStart));
  for (int i = 0; i < 10'000; ++i) table.take(std::to_string(i), {1, seconds(60)}, kStart);
  EXPECT_EQ(table.size(), 3U);
}

}  // namespace
}  // namespace relay::base
