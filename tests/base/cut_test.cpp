#include "relay/base/cut.hpp"

#include <gtest/gtest.h>

#include "relay/base/time.hpp"

namespace relay::base {
namespace {

using namespace std::chrono_literals;

TEST(Cut, InterruptsWhatWaits) {
  Cut cut;
  int interrupts = 0;
  {
    const Cut::Wait wait(&cut, [&interrupts] { ++interrupts; });
    EXPECT_FALSE(cut.made());
    cut.make();
  }
  EXPECT_TRUE(cut.made());
  EXPECT_EQ(interrupts, 1);
  cut.make();
  EXPECT_EQ(interrupts, 1) << "the wait is over";
}

TEST(Cut, InterruptsTheWaitThatIsUnderWay) {
  Cut cut;
  int first = 0;
  int second = 0;
  {
    const Cut::Wait wait(&cut, [&first] { ++first; });
  }
  const Cut::Wait wait(&cut, [&second] { ++second; });
  cut.make();
  EXPECT_EQ(first, 0);
  EXPECT_EQ(second, 1);
}

TEST(Cut, MayBeAbsent) {
  const Cut::Wait wait(nullptr, [] { FAIL(); });
}

TEST(Deadline, HasPassedOnceItsCutIsMade) {
  Cut cut;
  const SteadyTime now = std::chrono::steady_clock::now();
  const Deadline deadline{.at = now + 1h, .cut = &cut};
  EXPECT_FALSE(deadline.passed(now));
  cut.make();
  EXPECT_TRUE(deadline.passed(now));
}

TEST(Deadline, KeepsTheCutOfWhatItIsWithin) {
  Cut cut;
  const SteadyTime now = std::chrono::steady_clock::now();
  const Deadline outer{.at = now + 1h, .cut = &cut};
  const Deadline stage{.at = now + 1min};
  EXPECT_EQ(stage.within(outer).at, now + 1min);
  EXPECT_EQ(stage.within(outer).cut, &cut);
  EXPECT_EQ(outer.within(stage).at, now + 1min);
  EXPECT_EQ(outer.within(stage).cut, &cut);
  EXPECT_EQ(stage.within(stage).cut, nullptr);
}

}  // namespace
}  // namespace relay::base
