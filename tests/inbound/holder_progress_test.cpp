// Who does something with what it holds is neither stalled nor slow.
#include "relay/inbound/holder_progress.hpp"

#include <gtest/gtest.h>

namespace relay::inbound {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = HolderProgress::kPatience;

class HolderProgressTest : public testing::Test {
 protected:
  HolderProgressTest() { progress_.completes(now_); }

  void wait(base::SteadyTime::duration span) {
    progress_.begins_to_wait(now_);
    now_ += span;
  }

  void receive(std::uint64_t octets) {
    progress_.ends_to_wait(now_);
    progress_.has_come(octets, 10, 1000, now_);
  }

  base::SteadyTime now_{1h};
  HolderProgress progress_;
};

TEST_F(HolderProgressTest, StallsAfterItsPatience) {
  wait(kPatience - 1ms);
  EXPECT_TRUE(progress_.waits());
  EXPECT_FALSE(progress_.is_stalled(now_));
  EXPECT_TRUE(progress_.is_stalled(now_ + 1ms));
  EXPECT_TRUE(progress_.is_slow(now_ + 1ms));
  receive(0);
  EXPECT_FALSE(progress_.waits());
}

TEST_F(HolderProgressTest, AFewOctetsAreProgressAndNoWork) {
  wait(kPatience / 2);
  receive(10);
  wait(kPatience / 2);
  EXPECT_FALSE(progress_.is_stalled(now_));
  EXPECT_TRUE(progress_.is_slow(now_));
  EXPECT_EQ(progress_.silence(now_), kPatience / 2);
}

TEST_F(HolderProgressTest, OctetsAddUp) {
  for (int i = 0; i < 4; ++i) {
    wait(kPatience / 5);
    receive(250);
  }
  wait(kPatience / 5);
  EXPECT_FALSE(progress_.is_slow(now_));
}

TEST_F(HolderProgressTest, TimeStandsStillWhileTheHolderIsBusy) {
  wait(kPatience / 2);
  receive(1);
  now_ += 10 * kPatience;  // it works
  wait(kPatience / 2 - 1ms);
  EXPECT_FALSE(progress_.is_stalled(now_));
  EXPECT_TRUE(progress_.is_stalled(now_ + 1ms));
}

TEST_F(HolderProgressTest, BeginsAnewWhenSomethingIsDone) {
  wait(kPatience);
  progress_.makes_progress(now_);
  EXPECT_FALSE(progress_.is_stalled(now_));
  EXPECT_TRUE(progress_.is_slow(now_));
  progress_.completes(now_);
  EXPECT_FALSE(progress_.is_slow(now_));
}

}  // namespace
}  // namespace relay::inbound
