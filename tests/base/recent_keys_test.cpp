#include "relay/base/recent_keys.hpp"

#include <gtest/gtest.h>

namespace relay::base {
namespace {

using std::chrono::seconds;

const SteadyTime kStart{std::chrono::hours(1000)};

TEST(RecentKeys, KnowsAKeyForItsMemoryAfterItWasLastSeen) {
  RecentKeys keys(seconds(10));
  EXPECT_FALSE(keys.knows("a", kStart));
  keys.note("a", kStart);
  EXPECT_TRUE(keys.knows("a", kStart + seconds(10)));
  EXPECT_FALSE(keys.knows("a", kStart + seconds(11)));
  EXPECT_FALSE(keys.knows("b", kStart));
  keys.note("a", kStart + seconds(8));
  EXPECT_TRUE(keys.knows("a", kStart + seconds(18)));
  EXPECT_EQ(keys.size(), 1U);
}

TEST(RecentKeys, ForgetsWhatIsOldestWhenItIsFull) {
  RecentKeys keys(seconds(1000), 3);
  for (const char* key : {"a", "b", "c"}) keys.note(key, kStart);
  keys.note("a", kStart + seconds(1));
  keys.note("d", kStart + seconds(2));
  EXPECT_EQ(keys.size(), 3U);
  EXPECT_TRUE(keys.knows("a", kStart + seconds(2)));
  EXPECT_FALSE(keys.knows("b", kStart + seconds(2)));
}

TEST(RecentKeys, ANewKeyTakesThePlaceOfThoseThatAreOver) {
  RecentKeys keys(seconds(10));
  keys.note("a", kStart);
  keys.note("b", kStart + seconds(5));
  keys.note("c", kStart + seconds(12));
  EXPECT_EQ(keys.size(), 2U);
}

}  // namespace
}  // namespace relay::base
