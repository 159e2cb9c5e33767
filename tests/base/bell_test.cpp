#include "relay/base/bell.hpp"

#include <gtest/gtest.h>

namespace relay::base {
namespace {

struct Sleeper {
  bool lie_down(Bell& bell) {
    return bell.arm([this] { ++woken; });
  }

  int woken = 0;
};

TEST(Bell, WakesWhoSleepsOnce) {
  Bell bell;
  Sleeper sleeper;
  ASSERT_TRUE(sleeper.lie_down(bell));
  bell.ring();
  bell.ring();
  EXPECT_EQ(sleeper.woken, 1);
}

TEST(Bell, RingThatWokeIsUsedUpWhenTheSleepIsOver) {
  Bell bell;
  Sleeper sleeper;
  ASSERT_TRUE(sleeper.lie_down(bell));
  bell.ring();
  bell.disarm();
  EXPECT_TRUE(sleeper.lie_down(bell));
}

TEST(Bell, RingsThatFindNobodyAsleepAreKeptAsOne) {
  Bell bell;
  Sleeper sleeper;
  bell.ring();
  bell.ring();
  EXPECT_FALSE(sleeper.lie_down(bell));
  EXPECT_TRUE(sleeper.lie_down(bell));
  EXPECT_EQ(sleeper.woken, 0);
}

TEST(Bell, RingBehindASleepThatEndedByItselfIsKept) {
  Bell bell;
  Sleeper sleeper;
  ASSERT_TRUE(sleeper.lie_down(bell));
  bell.disarm();
  bell.ring();
  EXPECT_EQ(sleeper.woken, 0);
  EXPECT_FALSE(sleeper.lie_down(bell));
}

TEST(Bell, MayBeRungByWhomItWakes) {
  Bell bell;
  ASSERT_TRUE(bell.arm([&bell] { bell.ring(); }));
  bell.ring();
  bell.disarm();
  EXPECT_TRUE(bell.arm([] {})) << "both rings belong to that sleep";
}

}  // namespace
}  // namespace relay::base
