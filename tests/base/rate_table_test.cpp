#include "relay/base/rate_table.hpp"

#include <random>
#include <string>

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

/// A debt from before a reload to a smaller rate is one bucket of the new rate at most.
TEST(RateTable, ForgivesWhatExceedsABucketOfTheNewRate) {
  RateTable table;
  table.charge("a", {1000, seconds(60)}, kStart, 1000);
  EXPECT_FALSE(table.allows("a", kTenAMinute, kStart));
  EXPECT_TRUE(table.allows("a", kTenAMinute, kStart + seconds(7)));
}

TEST(RateTable, TakesBackWhatIsGivenBackAndNoMore) {
  RateTable table;
  for (int i = 0; i < 10; ++i) table.take("a", kTenAMinute, kStart);
  EXPECT_EQ(table.debt("a", kTenAMinute, kStart), 1);
  table.give_back("a", kTenAMinute, kStart, 5);
  EXPECT_EQ(table.debt("a", kTenAMinute, kStart), 0.5);
  table.give_back("a", kTenAMinute, kStart, 100);
  EXPECT_EQ(table.debt("a", kTenAMinute, kStart), 0);
  table.give_back("b", kTenAMinute, kStart, 100);
  EXPECT_EQ(table.size(), 1U) << "who is not known is not made known";
  for (const char* key : {"a", "b"}) {
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(table.take(key, kTenAMinute, kStart)) << key;
    EXPECT_FALSE(table.take(key, kTenAMinute, kStart)) << key;
  }
}

/// A key that owes nothing again is the first to be forgotten.
TEST(RateTable, ForgetsWhoWasForgiven) {
  RateTable table(2);
  for (const char* key : {"debtor", "forgiven"}) table.charge(key, kTenAMinute, kStart, 10);
  table.give_back("forgiven", kTenAMinute, kStart, 10);
  EXPECT_TRUE(table.take("new", kTenAMinute, kStart));
  EXPECT_EQ(table.debt("debtor", kTenAMinute, kStart), 1);
  EXPECT_EQ(table.debt("forgiven", kTenAMinute, kStart), 0);
}

TEST(RateTable, StandsAClockThatGoesBack) {
  RateTable table;
  EXPECT_TRUE(table.take("a", {1, seconds(60)}, kStart));
  EXPECT_FALSE(table.take("a", {1, seconds(60)}, kStart - seconds(3600)));
}

/// Keys are the attacker's to choose; memory is not.
TEST(RateTable, NeverGrows) {
  RateTable table(3);
  for (int i = 0; i < 10'000; ++i) table.take(std::to_string(i), {1, seconds(60)}, kStart);
  EXPECT_EQ(table.size(), 3U);
}

TEST(RateTable, ForgetsWhoOwesNothingBeforeWhoOwes) {
  RateTable table(3);
  for (int i = 0; i < 10; ++i) table.take("debtor", kTenAMinute, kStart);
  const SteadyTime later = kStart + seconds(10);  // one taken once is full again by now
  for (int i = 0; i < 10'000; ++i) {
    table.take(std::to_string(i), kTenAMinute, i < 5'000 ? kStart : later);
  }
  EXPECT_EQ(table.size(), 3U);
  EXPECT_TRUE(table.take("debtor", kTenAMinute, later)) << "1.7 have come back";
  EXPECT_FALSE(table.take("debtor", kTenAMinute, later)) << "its debt was not washed away";
}

/// All owe: the one that owes least goes, and that is never the one who has used up everything.
TEST(RateTable, ForgetsWhoOwesLeastWhenAllOwe) {
  RateTable table(3);
  for (const char* key : {"a", "b"}) table.charge(key, kTenAMinute, kStart, 10);
  for (int name = 0; name < 1000; ++name) {
    for (int i = 0; i < 9; ++i) table.take(std::to_string(name), kTenAMinute, kStart);
  }
  EXPECT_EQ(table.size(), 3U);
  for (const char* key : {"a", "b"}) EXPECT_FALSE(table.allows(key, kTenAMinute, kStart)) << key;
}

/// Against a model that keeps all keys: as long as they find room, nothing is different.
TEST(RateTable, KeepsTheOrderOfThousandsOfBuckets) {
  constexpr int kKeys = 1000;
  RateTable small(kKeys / 2);
  RateTable large;
  std::mt19937 dice(1);
  SteadyTime now = kStart;
  for (int i = 0; i < 200'000; ++i) {
    now += std::chrono::milliseconds(1);
    // Half of the keys take as much as they can, the others once in a long while.
    const bool greedy = dice() % 8 != 0;
    const std::string key = std::to_string(dice() % (kKeys / 4) + (greedy ? 0 : kKeys));
    const bool expected = large.take(key, kTenAMinute, now);
    const bool given = small.take(key, kTenAMinute, now);
    ASSERT_EQ(given, expected) << i << ' ' << key;
  }
}

}  // namespace
}  // namespace relay::base
