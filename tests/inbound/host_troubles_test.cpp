// Refusals whose cause is this host: told apart from all others, logged as warnings, counted.
#include "relay/inbound/host_troubles.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/inbound/events.hpp"
#include "relay/inbound/intake.hpp"
#include "tests/inbound/house.hpp"

namespace relay::inbound {
namespace {

using namespace std::chrono_literals;
using ports::SpoolError;
using testing::HasSubstr;

constexpr base::SteadyTime kNow{1h};
const smtp::Reply kNoAnswer(451, {4, 4, 3}, "x cannot be authenticated now");

struct HostTroublesTest : testing::Test {
  std::optional<HostTrouble> behind(const smtp::Reply& reply, base::SteadyTime now = kNow) const {
    return troubles.behind(reply, now);
  }

  fakes::FakeClock clock;
  fakes::FakeResolver resolver{clock, ""};
  HostTroubles troubles{resolver};
};

TEST_F(HostTroublesTest, AreBehindSomeReplies) {
  EXPECT_EQ(behind(reply_for(SpoolError::Full)), HostTrouble::Disk);
  EXPECT_EQ(behind(reply_for(SpoolError::Poisoned)), HostTrouble::Storage);
  EXPECT_EQ(behind(reply_for(SpoolError::Unavailable)), HostTrouble::Storage);
  EXPECT_EQ(behind(smtp::Reply(452, {4, 3, 1}, "Too much mail at once, try again later")),
            HostTrouble::Memory);
}

TEST_F(HostTroublesTest, AreNotBehindOthers) {
  EXPECT_EQ(behind(reply_for(SpoolError::Stopping)), std::nullopt);
  EXPECT_EQ(behind(reply_for(SpoolError::Unconfirmed)), std::nullopt);
  EXPECT_EQ(behind(smtp::Reply(451, {4, 7, 1}, "Greylisted")), std::nullopt);
  EXPECT_EQ(behind(smtp::Reply(452, {4, 5, 3}, "Too many recipients")), std::nullopt);
  EXPECT_EQ(behind(smtp::Reply(550, {5, 7, 1}, "No")), std::nullopt);
  EXPECT_EQ(behind(smtp::Reply(250, {2, 0, 0}, "Ok")), std::nullopt);
}

TEST_F(HostTroublesTest, DeadServersOfASenderAreNoneUnlessTheDnsIsOutOfReach) {
  EXPECT_EQ(behind(kNoAnswer), std::nullopt);
  resolver.set_outage(kNow);
  EXPECT_EQ(behind(kNoAnswer), HostTrouble::Dns);
  EXPECT_EQ(behind(kNoAnswer, kNow + HostTroubles::kOutage), HostTrouble::Dns);
  EXPECT_EQ(behind(kNoAnswer, kNow + HostTroubles::kOutage + 1s), std::nullopt);
}

TEST_F(HostTroublesTest, AreCountedEachForItself) {
  EXPECT_EQ(troubles.of(HostTrouble::Disk).times, 0U);
  EXPECT_EQ(troubles.of(HostTrouble::Disk).last, std::nullopt);
  troubles.note(HostTrouble::Disk, kNow);
  troubles.note(HostTrouble::Disk, kNow + 5s);
  EXPECT_EQ(troubles.of(HostTrouble::Disk).times, 2U);
  EXPECT_EQ(troubles.of(HostTrouble::Disk).last, kNow + 5s);
  for (const auto other : {HostTrouble::Memory, HostTrouble::Descriptors}) {
    EXPECT_EQ(troubles.of(other).times, 0U);
  }
}

/// By the steady clock: the other one may be set back by a day.
TEST_F(HostTroublesTest, EndTenMinutesAfterTheLast) {
  EXPECT_FALSE(troubles.of(HostTrouble::Disk).lasts(kNow)) << "there was none";
  troubles.note(HostTrouble::Disk, kNow);
  troubles.note(HostTrouble::Disk, kNow + 5min);
  EXPECT_TRUE(troubles.of(HostTrouble::Disk).lasts(kNow + 15min));
  EXPECT_FALSE(troubles.of(HostTrouble::Disk).lasts(kNow + 15min + 1s));
  EXPECT_EQ(troubles.of(HostTrouble::Disk).times, 2U) << "they stay counted";
}

// --- in sessions

/// The level of the last refusal in the log, such as "warning".
std::string level_of_last(const House& house) {
  for (auto line = house.log.lines.rbegin(); line != house.log.lines.rend(); ++line) {
    if (line->find(R"("event":"rejected")") == std::string::npos) continue;
    constexpr std::string_view kKey = R"("level":")";
    const std::size_t begin = line->find(kKey) + kKey.size();
    return line->substr(begin, line->find('"', begin) - begin);
  }
  return "";
}

TEST(HostTroubleOfASession, IsAWarningAndCounted) {
  House house;
  house.queue.commit_error = SpoolError::Full;
  house.talk(envelope_and({"Subject: x\r\n\r\nx\r\n.\r\n", "QUIT\r\n"}));
  EXPECT_EQ(level_of_last(house), "warning");
  EXPECT_EQ(house.refusals.troubles().of(HostTrouble::Disk).times, 1U);
  house.talk({"EHLO c.example\r\n", "MAIL FROM:<a@b.example>\r\n",
              "RCPT TO:<nobody@example.org>\r\n", "QUIT\r\n"});
  EXPECT_EQ(level_of_last(house), "info");
}

TEST(HostTroubleOfASession, IsTheDnsOnlyWhereOursIsOut) {
  House house;
  house.verify("dead.example SERVFAIL\n_dmarc.dead.example SERVFAIL\n");
  const std::vector<std::string> undecided =
      envelope_and({"From: ann@dead.example\r\n\r\nx\r\n.\r\n", "QUIT\r\n"});
  EXPECT_THAT(house.talk(undecided)->sent, HasSubstr("\r\n451 4.4.3"));
  EXPECT_EQ(level_of_last(house), "info");
  EXPECT_EQ(house.refusals.troubles().of(HostTrouble::Dns).times, 0U);
  house.resolver.set_outage(house.clock.steady());
  EXPECT_THAT(house.talk(undecided)->sent, HasSubstr("\r\n451 4.4.3"));
  EXPECT_EQ(level_of_last(house), "warning");
  EXPECT_EQ(house.refusals.troubles().of(HostTrouble::Dns).times, 1U);
}

/// So many clients, each with a message under way, and the reply to one more of the network.
std::string reply_in_a_crowd(House& house, const std::vector<std::string>& clients,
                             const std::string& last) {
  const std::string line = std::string(98, 'x') + "\r\n";
  std::string begun = "Subject: x\r\n\r\n";
  while (begun.size() < 200'000) begun += line;
  std::vector<std::shared_ptr<fakes::Wire>> held;
  for (const std::string& client : clients) {
    held.push_back(house.dial(envelope_and({begun}), client));
    held.back()->wait_at_end = true;
    house.poll();
  }
  const auto wire = house.dial(envelope_and({begun, ".\r\n", "QUIT\r\n"}), last);
  house.poll();
  house.acceptor.drain();
  for (const auto& one : held) {
    if (one->wake) std::exchange(one->wake, {})(true);
  }
  house.poll();
  return wire->sent;
}

Limits small_memory() {
  Limits limits;
  limits.memory = 2ULL << 20;
  limits.memory_per_network = 1ULL << 20;
  return limits;
}

TEST(HostTroubleOfASession, IsNotAShareThatAStrangerHasUsedUp) {
  House house(small_memory());
  EXPECT_THAT(reply_in_a_crowd(house, std::vector<std::string>(20, "192.0.2.1"), "192.0.2.2"),
              HasSubstr("452 4.7.1 Too much mail at once from your network"));
  EXPECT_EQ(level_of_last(house), "info");
  EXPECT_EQ(house.refusals.troubles().of(HostTrouble::Memory).times, 0U);
}

TEST(HostTroubleOfASession, IsMemoryThatAllTogetherHaveUsedUp) {
  House house(small_memory());
  std::vector<std::string> clients;
  for (int network = 1; network <= 20; ++network) {
    for (int i = 0; i < 5; ++i) clients.push_back("198.51." + std::to_string(network) + ".1");
  }
  EXPECT_THAT(reply_in_a_crowd(house, clients, "192.0.2.2"),
              HasSubstr("452 4.3.1 Too much mail at once, try again later"));
  EXPECT_EQ(level_of_last(house), "warning");
  EXPECT_GE(house.refusals.troubles().of(HostTrouble::Memory).times, 1U);
}

}  // namespace
}  // namespace relay::inbound
