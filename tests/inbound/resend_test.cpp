// A client that lost our 250 and sends again gets 250 without a second copy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/inbound/resend_guard.hpp"
#include "tests/inbound/house.hpp"

namespace relay::inbound {
namespace {

using testing::HasSubstr;

const std::string kMessage = "From: ann@sender.example\r\nMessage-ID: <1@x>\r\n\r\nHello\r\n";

std::vector<std::string> lines(const std::string& content, bool goodbye,
                               const std::string& recipient = "info@example.org") {
  std::vector<std::string> all{"EHLO client.example\r\n", "MAIL FROM:<ann@sender.example>\r\n",
                               "RCPT TO:<" + recipient + ">\r\n", "DATA\r\n", content + ".\r\n"};
  if (goodbye) all.emplace_back("QUIT\r\n");
  return all;
}

std::string id_in(const std::string& sent) {
  const auto at = sent.find("queued as ");
  return at == std::string::npos ? "" : sent.substr(at + 10, 26);
}

TEST(Resending, AMessageSentAgainAfterALost250IsKnownAgain) {
  House house;
  const std::string first = house.talk(lines(kMessage, false))->sent;
  const std::string second = house.talk(lines(kMessage, true))->sent;
  EXPECT_EQ(house.queue.stored.size(), 1U);
  ASSERT_FALSE(id_in(first).empty());
  EXPECT_EQ(id_in(second), id_in(first));
  EXPECT_THAT(house.log.lines.back(), HasSubstr("\"event\":\"resent\""));
  EXPECT_THAT(house.log.lines.back(), HasSubstr(id_in(first)));
  EXPECT_EQ(house.feed.offered.size(), 1U);
}

TEST(Resending, A250ThatWasHeardMakesTheNextOneANewMessage) {
  House house;
  house.talk(lines(kMessage, true));
  house.talk(lines(kMessage, true));
  EXPECT_EQ(house.queue.stored.size(), 2U);
}

TEST(Resending, OnlyTheSameMessageOfTheSameClientToTheSameRecipientsIsTheSame) {
  House house;
  house.talk(lines(kMessage, false));
  house.talk(lines(kMessage + "x\r\n", true));
  house.talk(lines(kMessage, true, "team@example.org"));
  house.dial(lines(kMessage, true), "198.51.100.9");
  house.poll();
  EXPECT_EQ(house.queue.stored.size(), 4U);
  house.talk(lines(kMessage, true));
  EXPECT_EQ(house.queue.stored.size(), 4U);
}

TEST(Resending, NobodyIsRememberedForEver) {
  House house;
  house.talk(lines(kMessage, false));
  house.clock.advance(std::chrono::hours(7));
  house.talk(lines(kMessage, true));
  EXPECT_EQ(house.queue.stored.size(), 2U);
}

TEST(Resending, ARefusedMessageIsNotRemembered) {
  House house;
  house.queue.commit_error = ports::SpoolError::Full;
  house.talk(lines(kMessage, false));
  house.queue.commit_error.reset();
  EXPECT_THAT(house.talk(lines(kMessage, true))->sent, HasSubstr("queued as"));
  EXPECT_EQ(house.queue.stored.size(), 1U);
  EXPECT_EQ(house.resends.size(), 0U);
}

TEST(ResendKey, HasNoTwoReadings) {
  EXPECT_NE(resend_key("1", "ab", {"c"}, "h"), resend_key("1", "a", {"bc"}, "h"));
  EXPECT_NE(resend_key("1", "a", {"b", "c"}, "h"), resend_key("1", "a", {"bc"}, "h"));
  EXPECT_EQ(resend_key("1", "a", {"b"}, "h"), resend_key("1", "a", {"b"}, "h"));
}

}  // namespace
}  // namespace relay::inbound
