#include "relay/base/watchdog.hpp"

#include <optional>

#include <gtest/gtest.h>

namespace relay::base {
namespace {

using namespace std::chrono_literals;

const SteadyTime kStart{1h};

TEST(Watchdog, TellsOfEachOverdueTaskOnce) {
  Watchdog dog;
  const Watchdog::Watch stuck(dog, "smtp session", "192.0.2.1", kStart + 10s);
  const Watchdog::Watch later(dog, "delivery", "id", kStart + 100s);
  EXPECT_TRUE(dog.newly_overdue(kStart + 10s + Watchdog::kGrace - 1s).empty());
  const auto overdue = dog.newly_overdue(kStart + 15s + Watchdog::kGrace);
  ASSERT_EQ(overdue.size(), 1U);
  EXPECT_EQ(overdue[0].what, "smtp session");
  EXPECT_EQ(overdue[0].detail, "192.0.2.1");
  EXPECT_EQ(overdue[0].late, 5s + Watchdog::kGrace);
  EXPECT_TRUE(dog.newly_overdue(kStart + 20s + Watchdog::kGrace).empty());
  EXPECT_EQ(dog.found(), 1U);
}

TEST(Watchdog, ForgetsWhatHasEnded) {
  Watchdog dog;
  std::optional<Watchdog::Watch> first;
  first.emplace(dog, "a", "", kStart);
  const Watchdog::Watch second(dog, "b", "", kStart);
  first.reset();
  const auto overdue = dog.newly_overdue(kStart + 1h);
  ASSERT_EQ(overdue.size(), 1U);
  EXPECT_EQ(overdue[0].what, "b");
}

}  // namespace
}  // namespace relay::base
