// What keeps one client from costing too much: refusals logged, content wasted, handshakes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/inbound/house.hpp"

namespace relay::inbound {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr std::string_view kWasteful =
    "421 4.7.0 Too much unfinished mail from your network, try again later\r\n";

std::vector<std::string> broken_off(std::size_t octets) {
  return envelope_and({"Subject: x\r\n\r\n" + std::string(octets, 'x') + "\r\n"});
}

Limits allowing(std::uint64_t wasted) {
  Limits limits;
  limits.wasted = wasted;
  return limits;
}

TEST(WasteGuard, KeepsOutWhoBreaksOffAgainAndAgain) {
  House house(allowing(256 * 1024));
  for (int i = 0; i < 5; ++i) house.talk(broken_off(50'000));
  EXPECT_THAT(house.talk({"QUIT\r\n"})->sent, HasSubstr("221"));
  house.talk(broken_off(50'000));
  const auto refused = house.talk({"QUIT\r\n"});
  EXPECT_EQ(refused->sent, kWasteful);
  EXPECT_TRUE(refused->closed);
  // It applies to the whole network, and to no other.
  const auto neighbour = house.dial({"QUIT\r\n"}, "192.0.2.200");
  const auto other = house.dial({"QUIT\r\n"}, "198.51.100.1");
  house.poll();
  EXPECT_EQ(neighbour->sent, kWasteful);
  EXPECT_THAT(other->sent, HasSubstr("221"));
  EXPECT_TRUE(house.queue.stored.empty());
  EXPECT_EQ(house.memory.held(), 0U);
  house.clock.advance(1h);
  EXPECT_THAT(house.talk({"QUIT\r\n"})->sent, HasSubstr("221"));
}

TEST(WasteGuard, CountsWhatIsRefusedAndNotWhatIsAccepted) {
  House house(allowing(64 * 1024));
  const std::string good = "Subject: x\r\n\r\n" + std::string(30'000, 'x') + "\r\n.\r\n";
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(house.talk(envelope_and({good}))->sent, HasSubstr("250 2.0.0 queued"));
  }
  const std::string bare = "Subject: x\r\n\r\n" + std::string(30'000, 'x') + "\n\r\n.\r\n";
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(house.talk(envelope_and({bare}))->sent, HasSubstr("550 5.6.0"));
  }
  EXPECT_EQ(house.talk({"QUIT\r\n"})->sent, kWasteful);
}

TEST(WasteGuard, DoesNotBlameTheClientForATroubleOfOurs) {
  House house(allowing(64 * 1024));
  house.queue.commit_error = ports::SpoolError::Full;
  const std::string good = "Subject: x\r\n\r\n" + std::string(30'000, 'x') + "\r\n.\r\n";
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(house.talk(envelope_and({good}))->sent, HasSubstr("452"));
  }
  EXPECT_THAT(house.talk({"QUIT\r\n"})->sent, HasSubstr("221"));
}

TEST(RefusalLog, LeavesOutAndCountsTheLinesOfAFlood) {
  House house;
  constexpr int kRefusals = 1000;
  constexpr int kPerSession = 10;
  for (int i = 0; i < kRefusals / kPerSession; ++i) {
    std::vector<std::string> segments;
    for (int j = 0; j < kPerSession; ++j) segments.emplace_back("NONSENSE\r\n");
    house.talk(std::move(segments));
  }
  const auto rejected = [&] {
    return std::ranges::count_if(house.log.lines, [](const std::string& line) {
      return line.find(R"("event":"rejected")") != std::string::npos;
    });
  };
  EXPECT_EQ(rejected(), RefusalLog::kRate.count);
  house.refusals.tell_suppressed(house.clock.wall());
  EXPECT_THAT(house.log.lines.back(), HasSubstr(R"("event":"suppressed")"));
  EXPECT_THAT(house.log.lines.back(), HasSubstr(R"("network":"192.0.2.0/24","lines":700)"));
  const auto lines = house.log.lines.size();
  house.refusals.tell_suppressed(house.clock.wall());
  EXPECT_EQ(house.log.lines.size(), lines) << "told once";
  // Another network is not silenced by it.
  house.dial({"NONSENSE\r\n"}, "198.51.100.1");
  house.poll();
  EXPECT_THAT(house.log.lines.back(), HasSubstr("198.51.100.1"));
}

/// The log of senders that break RFC 5321; other refusals are not in it.
TEST(RefusalLog, CountsContentRefusedForItsFormOrSize) {
  Limits limits;
  limits.max_header = 1000;
  House house(limits);
  const auto count_after = [&house](const std::string& content) {
    house.talk(envelope_and({content + "\r\n.\r\n"}));
    return house.refusals.malformed();
  };
  EXPECT_EQ(count_after("Subject: x\r\n\r\nHello"), 0U);
  EXPECT_EQ(count_after("Subject: x\r\n\r\nbare\nline end"), 1U);
  EXPECT_EQ(count_after("Subject: x\r\n\r\n" + std::string(1, '\0')), 2U);
  EXPECT_EQ(count_after("Subject: " + std::string(1001, 'x') + "\r\n\r\nHello"), 3U);
  house.talk({"EHLO c.example\r\n", "MAIL FROM:<a@b.example>\r\n",
              "RCPT TO:<nobody@example.org>\r\n", "QUIT\r\n"});
  house.queue.commit_error = ports::SpoolError::Full;
  EXPECT_EQ(count_after("Subject: x\r\n\r\nHello"), 3U);
}

TEST(Watchdog, SeesASessionThatNothingEnds) {
  House house;
  const auto wire = house.dial({"EHLO c.example\r\n"});
  wire->wait_at_end = true;  // a stream that forgets its deadline: what the watchdog is for
  house.poll();
  house.clock.advance(house.policy.get()->limits.session + base::Watchdog::kGrace + 1s);
  const auto overdue = house.watchdog.newly_overdue(house.clock.steady());
  ASSERT_EQ(overdue.size(), 1U);
  EXPECT_EQ(overdue[0].detail, "192.0.2.7");
  house.acceptor.drain();
  house.poll();
}

}  // namespace
}  // namespace relay::inbound
