// A client that lost our 250 and sends again gets 250 without a second copy (guarantee "A lost 250
// makes no second message"). A client that sends equal messages has sent two messages.
#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/inbound/resend_guard.hpp"
#include "tests/inbound/house.hpp"

namespace relay::inbound {
namespace {

using std::chrono::minutes;
using testing::HasSubstr;

const std::string kMessage = "From: ann@sender.example\r\nMessage-ID: <1@x>\r\n\r\nHello\r\n";
/// As a power supply writes it: without Message-ID and Date, and each time the same.
const std::string kAlarm = "From: ups@sender.example\r\nSubject: On battery\r\n\r\nAlarm\r\n";

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
  house.talk(lines(kMessage, false));
  EXPECT_EQ(house.queue.stored.size(), 3U);
  house.talk(lines(kMessage, true));  // sent again, and heard this time
  EXPECT_EQ(house.queue.stored.size(), 3U);
  house.talk(lines(kMessage, true));
  EXPECT_EQ(house.queue.stored.size(), 4U);
}

TEST(Resending, AMessageWhoseFirstSessionStillHangsIsKnownAgain) {
  House house;
  const auto hanging = house.dial(lines(kMessage, false));
  hanging->wait_at_end = true;
  house.poll();
  EXPECT_EQ(house.acceptor.sessions(), 1U);
  EXPECT_EQ(id_in(house.talk(lines(kMessage, true))->sent), id_in(hanging->sent));
  hanging->wait_at_end = false;
  std::exchange(hanging->wake, {})(true);
  house.poll();
}

TEST(Resending, AQuitThatCameBeforeTheAcknowledgementProvesNothing) {
  House house;
  const auto wire = house.dial(lines(kMessage, true));
  wire->unacknowledged = 40;
  house.poll();
  EXPECT_EQ(id_in(house.talk(lines(kMessage, true))->sent), id_in(wire->sent));
}

TEST(Resending, AQuitProvesNothingForItMayBeSentBeforeThe250IsRead) {
  House house;
  auto said = lines(kMessage, true);
  said[4] += said[5];  // the dot and QUIT in one segment, as Postfix does
  said.pop_back();
  const std::string first = house.talk(std::move(said))->sent;
  EXPECT_EQ(id_in(house.talk(lines(kMessage, true))->sent), id_in(first));
  EXPECT_EQ(house.queue.stored.size(), 1U);
}

TEST(Resending, FiveEqualAlarmsAreFiveMessages) {
  House house;
  for (int i = 0; i < 5; ++i) house.talk(lines(kAlarm, false));  // reads its 250 and closes
  EXPECT_EQ(house.queue.stored.size(), 5U);
  EXPECT_EQ(house.feed.offered.size(), 5U);
  for (int i = 0; i < 2; ++i) house.talk(lines(kAlarm, true));
  EXPECT_EQ(house.queue.stored.size(), 7U);
}

TEST(Resending, AnAlarmIsKnownAgainWhere250CannotHaveBeenReceived) {
  const auto copies = [](auto&& lose) {
    House house;
    const auto wire = house.dial(lines(kAlarm, false));
    lose(*wire);
    house.poll();
    house.clock.run_for(house.io, std::chrono::seconds(3));
    EXPECT_EQ(house.acceptor.sessions(), 0U);
    house.talk(lines(kAlarm, true));
    return house.queue.stored.size();
  };
  EXPECT_EQ(copies([](fakes::Wire& wire) { wire.at_end = ports::IoError::Reset; }), 1U);
  EXPECT_EQ(copies([](fakes::Wire& wire) { wire.unacknowledged = 40; }), 1U);
  EXPECT_EQ(copies([](fakes::Wire& wire) {
              wire.before_read = [&wire] { wire.write_fails = wire.incoming.size() == 1; };
            }),
            1U);
  EXPECT_EQ(copies([](fakes::Wire&) {}), 2U);
}

TEST(Resending, AnAcknowledgementThatComesLateCounts) {
  House house;
  const auto wire = house.dial(lines(kAlarm, false));
  wire->unacknowledged = 40;
  house.poll();
  house.clock.run_for(house.io, std::chrono::milliseconds(500));
  EXPECT_EQ(house.acceptor.sessions(), 1U);
  wire->unacknowledged = 0;
  house.clock.run_for(house.io, std::chrono::milliseconds(500));
  EXPECT_EQ(house.acceptor.sessions(), 0U);
  house.talk(lines(kAlarm, true));
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

TEST(Resending, EndsTenMinutesAfterTheFirstTimeHoweverOftenItIsAsked) {
  House house;
  house.talk(lines(kMessage, false));
  for (int i = 0; i < 3; ++i) {
    house.clock.advance(minutes(3));
    house.talk(lines(kMessage, false));
    EXPECT_EQ(house.queue.stored.size(), 1U);
  }
  house.clock.advance(minutes(2));
  house.talk(lines(kMessage, false));
  EXPECT_EQ(house.queue.stored.size(), 2U);
}

TEST(Resending, ARefusedMessageIsNotRemembered) {
  House house;
  house.queue.commit_error = ports::SpoolError::Full;
  house.talk(lines(kMessage, false));
  house.queue.commit_error.reset();
  EXPECT_THAT(house.talk(lines(kMessage, true))->sent, HasSubstr("queued as"));
  EXPECT_EQ(house.queue.stored.size(), 1U);
}

TEST(ResendKey, HasNoTwoReadings) {
  EXPECT_NE(resend_key("1", "ab", {"c"}, "h"), resend_key("1", "a", {"bc"}, "h"));
  EXPECT_NE(resend_key("1", "a", {"b", "c"}, "h"), resend_key("1", "a", {"bc"}, "h"));
  EXPECT_EQ(resend_key("1", "a", {"b"}, "h"), resend_key("1", "a", {"b"}, "h"));
}

}  // namespace
}  // namespace relay::inbound
