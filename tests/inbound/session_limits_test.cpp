// What a client may get wrong, and what it keeps when it does.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/inbound/house.hpp"

namespace relay::inbound {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kContent = "From: ann@sender.example\r\nSubject: x\r\n\r\nHello\r\n.\r\n";

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

/// A list message: one subscriber who is there, then `dead` who are not, then another who is there.
std::vector<std::string> list_message(int dead) {
  std::vector<std::string> said{"MAIL FROM:<ann@sender.example>\r\n",
                                "RCPT TO:<info@example.org>\r\n"};
  for (int i = 0; i < dead; ++i) said.push_back("RCPT TO:<gone@example.org>\r\n");
  for (const char* line : {"RCPT TO:<team@example.org>\r\n", "DATA\r\n", kContent}) {
    said.emplace_back(line);
  }
  return said;
}

TEST(SessionLimits, AListMessageReachesTheLivingInSpiteOfItsDead) {
  House house;
  std::vector<std::string> said{"EHLO client.example\r\n"};
  for (int part = 0; part < 3; ++part) {  // accepted mail forgives the errors before it
    for (std::string& line : list_message(25)) said.push_back(std::move(line));
  }
  said.emplace_back("QUIT\r\n");
  const auto wire = house.talk(std::move(said));
  EXPECT_EQ(house.queue.stored.size(), 3U);
  EXPECT_EQ(count(wire->sent, "550 5.1.1"), 60U);
  EXPECT_EQ(count(wire->sent, "452 4.5.3 Too many recipients were refused"), 18U);
  EXPECT_TRUE(wire->sent.ends_with("221 2.0.0 Bye\r\n"));
  ASSERT_FALSE(house.queue.stored.empty());
  EXPECT_EQ(house.queue.stored[0].message.routes.size(), 1U);  // team has to come again
}

TEST(SessionLimits, AQueueThatIsPutOffAsAWholeKeepsItsSession) {
  House house;
  std::vector<std::string> said{"EHLO client.example\r\n"};
  auto greylisting = std::make_shared<Policy>(*house.policy.get());
  greylisting->abuse.greylist = {.enabled = true, .rules = {.delay = std::chrono::minutes(5)}};
  house.policy.publish(greylisting);
  for (int message = 0; message < 150; ++message) {
    said.push_back("MAIL FROM:<ann" + std::to_string(message) +
                   "@sender.example>\r\nRCPT TO:<info@example.org>\r\nDATA\r\n");
    said.emplace_back("RSET\r\n");
  }
  said.emplace_back("QUIT\r\n");
  const auto wire = house.talk(std::move(said));
  EXPECT_EQ(count(wire->sent, "451 4.7.1 Greylisted"), 150U);
  EXPECT_EQ(count(wire->sent, "421 "), 0U);
  EXPECT_TRUE(wire->sent.ends_with("221 2.0.0 Bye\r\n"));
}

TEST(SessionLimits, OneTransactionAsksForSoManyRecipientsWhateverTheAnswers) {
  Limits limits;
  limits.max_recipients = 10;
  House house(limits);
  auto greylisting = std::make_shared<Policy>(*house.policy.get());
  greylisting->abuse.greylist = {.enabled = true, .rules = {.delay = std::chrono::minutes(5)}};
  house.policy.publish(greylisting);
  std::vector<std::string> said{"EHLO client.example\r\n", "MAIL FROM:<ann@sender.example>\r\n"};
  for (int i = 0; i < 1000; ++i) {
    said.push_back("RCPT TO:<info+" + std::to_string(i) + "@example.org>\r\n");
  }
  const auto wire = house.talk(std::move(said));
  EXPECT_EQ(count(wire->sent, "451 4.7.1 Greylisted"), 110U);
  EXPECT_EQ(count(wire->sent, "452 4.5.3 Too many recipients"), 890U);
}

TEST(SessionLimits, AClientThatGetsNoServiceHasShortTimeToSayQuit) {
  House house;
  auto listing = std::make_shared<Policy>(*house.policy.get());
  auto lists = std::make_shared<DnsListPolicy>();
  lists->lists.push_back({.zone = "bl.example", .weight = 10, .answers = {}});
  lists->refuse_at = 10;
  lists->at = DnsListStage::Connect;
  listing->abuse.dns_lists = lists;
  house.policy.publish(listing);
  house.resolver.replace_zone("7.2.0.192.bl.example A 127.0.0.2\n");
  const auto polite = house.talk({"MAIL FROM:<a@b.example>\r\n", "QUIT\r\n", "NOOP\r\n"});
  EXPECT_THAT(polite->sent, HasSubstr("554 5.7.1 192.0.2.7 is listed"));
  EXPECT_THAT(polite->sent, HasSubstr("503 5.5.1"));
  EXPECT_TRUE(polite->sent.ends_with("221 2.0.0 Bye\r\n")) << polite->sent;
  EXPECT_TRUE(polite->expects_silence) << "nobody waits for octets that come after QUIT";
  const auto silent = house.dial(std::vector<std::string>(100, "N"));
  silent->before_read = [&] { house.clock.advance(std::chrono::seconds(9)); };
  house.poll();
  EXPECT_THAT(silent->sent, HasSubstr("421 4.4.2 Timeout"));
  EXPECT_FALSE(silent->expects_silence) << "it may be sending, and is to hear our last reply";
  EXPECT_GT(silent->incoming.size(), 95U);
  EXPECT_TRUE(silent->closed);
}

TEST(SessionLimits, AnOverlongLineHears500And421) {
  House house;
  const auto wire = house.talk({"EHLO client.example\r\n", std::string(3000, 'x')});
  EXPECT_TRUE(
      wire->sent.ends_with("500 5.5.2 Line too long\r\n421 4.7.0 Closing the connection\r\n"))
      << wire->sent;
}

}  // namespace
}  // namespace relay::inbound
