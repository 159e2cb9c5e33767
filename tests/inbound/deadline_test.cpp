// Time limits of a session. Nothing sleeps: the clock is moved by the script.
#include <algorithm>
#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/inbound/house.hpp"

namespace relay::inbound {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

TEST(SessionDeadline, CountsForTheWholeCommandLine) {
  House house;
  auto wire = house.dial({"N", "O", "O", "P", "\r\n", "NOOP\r\n"});
  house.poll();
  ASSERT_GE(wire->read_deadlines.size(), 6U);
  // One octet more gives no second more ...
  for (std::size_t i = 1; i < 5; ++i) {
    EXPECT_EQ(wire->read_deadlines[i].at, wire->read_deadlines[0].at);
  }
}

TEST(SessionDeadline, EndsADrippingCommand) {
  House house;
  auto wire = house.dial(std::vector<std::string>(100, "A"));
  wire->before_read = [&] { house.clock.advance(seconds(60)); };
  house.poll();
  EXPECT_THAT(wire->sent, HasSubstr("421 4.4.2 Timeout"));
  EXPECT_TRUE(wire->closed);
  EXPECT_GT(wire->incoming.size(), 90U);
}

TEST(SessionDeadline, EndsDrippingContent) {  // 500 octets a second, after the first five minutes
  House house;
  auto wire = house.dial(envelope_and(std::vector<std::string>(1000, "slow\r\n")));
  wire->before_read = [&] { house.clock.advance(seconds(50)); };
  house.poll();
  EXPECT_THAT(wire->sent, HasSubstr("421 4.4.2 Timeout"));
  EXPECT_GT(wire->incoming.size(), 980U);
  EXPECT_TRUE(house.queue.stored.empty());
}

TEST(SessionDeadline, LetsASteadyClientTakeItsTime) {
  Limits limits;
  House house(limits);
  std::string piece;
  while (piece.size() < 15000) piece += "thirty octets of text in here\r\n";
  std::vector<std::string> content(40, piece);
  content.front().insert(0, "Subject: slow\r\n\r\n");
  content.push_back(".\r\n");
  auto wire = house.dial(envelope_and(content));
  wire->before_read = [&] { house.clock.advance(seconds(20)); };  // 750 octets a second, 14 minutes
  house.poll();
  EXPECT_EQ(house.queue.stored.size(), 1U) << wire->sent;
}

TEST(SessionDeadline, CapsTheWholeSession) {
  Limits limits;
  limits.session = seconds(1000);
  limits.max_junk = 1000000;
  House house(limits);
  auto wire = house.dial(std::vector<std::string>(500, "NOOP\r\n"));
  wire->before_read = [&] { house.clock.advance(seconds(100)); };
  house.poll();
  EXPECT_THAT(wire->sent, HasSubstr("421 4.4.2 Timeout"));
  EXPECT_GT(wire->incoming.size(), 480U);
}

TEST(SessionDeadline, IsShortUnderOverload) {
  Limits limits;
  limits.connections_total = 10;
  House house(limits);
  std::vector<std::shared_ptr<fakes::Wire>> waiting;
  for (int i = 0; i < 8; ++i) {
    waiting.push_back(house.dial({}));
    waiting.back()->wait_at_end = true;
  }
  house.poll();
  auto wire = house.dial({});
  const base::SteadyTime before = house.clock.steady();
  house.poll();
  ASSERT_FALSE(wire->read_deadlines.empty());
  EXPECT_EQ(wire->read_deadlines[0].at - before, seconds(10));
  for (auto& w : waiting) {
    if (w->wake) std::exchange(w->wake, {})(true);
  }
  house.poll();
}

}  // namespace
}  // namespace relay::inbound
