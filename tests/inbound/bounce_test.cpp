// What may come back to our SRS addresses, in a session.
#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/inbound/session.hpp"
#include "tests/inbound/house.hpp"

namespace relay::inbound {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kBounce = "From: <>\r\nSubject: it did not work\r\n\r\n";

Limits limits(BounceLimits bounces) {
  Limits all;
  all.bounces = bounces;
  return all;
}

/// The address the house gives `sender`.
std::string srs_address(House& house, const std::string& sender) {
  const auto made = house.policy.get()->planner->senders().rewrite(*mail::Mailbox::parse(sender),
                                                                   "192.0.2.7", house.clock.wall());
  return made.reverse_path.to_string();
}

std::string talk(House& house, const std::vector<std::string>& recipients,
                 const std::string& body = "short\r\n", const std::string& peer = "192.0.2.7") {
  std::vector<std::string> lines{"EHLO bouncer.example\r\n", "MAIL FROM:<>\r\n"};
  for (const auto& recipient : recipients) lines.push_back("RCPT TO:<" + recipient + ">\r\n");
  lines.emplace_back("DATA\r\n");
  lines.push_back(kBounce + body + ".\r\n");
  lines.emplace_back("QUIT\r\n");
  const auto wire = house.dial(lines, peer);
  house.poll();
  return wire->sent;
}

std::string forged(House& house, int number) {
  std::string address = srs_address(house, "ann@sender.example");
  address.replace(address.find("ann@"), 3, "x" + std::to_string(number));
  return address;
}

TEST(Bounces, ABounceReachesItsSenderWithTheNullSender) {
  House house;
  EXPECT_THAT(talk(house, {srs_address(house, "Ann@sender.example")}), HasSubstr("queued as"));
  ASSERT_EQ(house.queue.stored.size(), 1U);
  const auto& route = house.queue.stored[0].message.routes[0];
  EXPECT_EQ(route.target.to_string(), "Ann@sender.example");
  EXPECT_TRUE(route.reverse_path.is_null());
}

TEST(Bounces, ABounceHasExactlyOneRecipient) {
  House house;
  const std::string one = srs_address(house, "ann@sender.example");
  const std::string two = srs_address(house, "bob@sender.example");
  EXPECT_THAT(talk(house, {one, two}), HasSubstr("452 4.5.3 A bounce has one recipient"));
  EXPECT_THAT(talk(house, {one, "info@example.org"}), HasSubstr("452 4.5.3 A bounce"));
  EXPECT_THAT(talk(house, {"info@example.org", one}), HasSubstr("452 4.5.3 A bounce"));
  ASSERT_EQ(house.queue.stored.size(), 3U);
  for (const auto& stored : house.queue.stored) EXPECT_EQ(stored.message.routes.size(), 1U);
}

TEST(Bounces, ALargeBounceIsRefused) {
  Limits small;
  small.max_bounce_body = 1000;
  House house(small);
  const std::string address = srs_address(house, "ann@sender.example");
  std::string body;
  while (body.size() < 900) body += std::string(70, 'x') + "\r\n";
  EXPECT_THAT(talk(house, {address}, body), HasSubstr("queued as"));
  body += std::string(200, 'x') + "\r\n";
  EXPECT_THAT(talk(house, {address}, body), HasSubstr("552 5.3.4 Too large for a bounce"));
  EXPECT_THAT(talk(house, {"info@example.org"}, body), HasSubstr("queued as"));
  EXPECT_EQ(house.queue.stored.size(), 2U);
}

TEST(BounceLimits, OneAddressTakesSoManyBouncesAnHour) {
  House house(limits({.per_address = 2, .per_sender = 100, .per_client = 100}));
  const std::string ann = srs_address(house, "ann@sender.example");
  EXPECT_THAT(talk(house, {ann}), HasSubstr("queued as"));
  EXPECT_THAT(talk(house, {ann}), HasSubstr("queued as"));
  EXPECT_THAT(talk(house, {ann}), HasSubstr("450 4.7.1 Too many bounces"));
  EXPECT_THAT(talk(house, {srs_address(house, "bob@sender.example")}), HasSubstr("queued as"));
  house.clock.advance(std::chrono::minutes(31));
  EXPECT_THAT(talk(house, {ann}), HasSubstr("queued as"));
  EXPECT_EQ(house.bounces.totals().taken, 4U);
  EXPECT_EQ(house.bounces.totals().throttled, 1U);
}

TEST(BounceLimits, OneSenderTakesSoManyUnderAllItsAddresses) {
  House house(limits({.per_address = 100, .per_sender = 2, .per_client = 100}));
  EXPECT_THAT(talk(house, {srs_address(house, "ann@sender.example")}), HasSubstr("queued as"));
  house.clock.jump_wall(std::chrono::hours(24));  // another stamp, another address
  EXPECT_THAT(talk(house, {srs_address(house, "ann@sender.example")}), HasSubstr("queued as"));
  house.clock.jump_wall(std::chrono::hours(24));
  EXPECT_THAT(talk(house, {srs_address(house, "ann@sender.example")}), HasSubstr("450 4.7.1"));
}

TEST(BounceLimits, OneNetworkBringsSoMany) {
  House house(limits({.per_address = 100, .per_sender = 100, .per_client = 2}));
  for (const char* sender : {"a@sender.example", "b@sender.example"}) {
    EXPECT_THAT(talk(house, {srs_address(house, sender)}), HasSubstr("queued as"));
  }
  const std::string third = srs_address(house, "c@sender.example");
  EXPECT_THAT(talk(house, {third}, "x\r\n", "192.0.2.200"), HasSubstr("450 4.7.1"));
  EXPECT_THAT(talk(house, {third}, "x\r\n", "198.51.100.1"), HasSubstr("queued as"));
}

TEST(BounceGuesses, WhoGuessesIsPutOffForRightAddressesToo) {
  House house(limits({.bad_per_client = 3}));
  const std::string good = srs_address(house, "ann@sender.example");
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(talk(house, {forged(house, i)}), HasSubstr("550 5.1.8"));
  }
  const std::string wrong_now = talk(house, {forged(house, 3)});
  const std::string right_now = talk(house, {good});
  EXPECT_THAT(wrong_now, HasSubstr("450 4.7.1"));
  EXPECT_THAT(wrong_now, Not(HasSubstr("550 5.1.8")));
  EXPECT_EQ(wrong_now, right_now) << "the answer must not tell right from wrong";
  EXPECT_THAT(talk(house, {"info@example.org"}), HasSubstr("queued as"));
  EXPECT_THAT(talk(house, {good}, "x\r\n", "203.0.113.5"), HasSubstr("queued as"));
  EXPECT_EQ(house.bounces.totals().refused, 3U);
  house.clock.advance(std::chrono::minutes(21));
  EXPECT_THAT(talk(house, {good}), HasSubstr("queued as"));
}

TEST(BounceGuesses, AStoredSenderThatIsGoneCountsAsAGuess) {
  House house(limits({.bad_per_client = 1}));
  const std::string token = srs_address(house, std::string(60, 'a') + "@long.sender.example");
  ASSERT_THAT(token, testing::StartsWith("srst="));
  EXPECT_THAT(talk(house, {token}), HasSubstr("550 5.1.8"));
  EXPECT_THAT(talk(house, {token}), HasSubstr("450 4.7.1"));
}

TEST(BounceGuard, AnAddressThatProvesLittleCountsAgainstTheTighterLimit) {
  BounceGuard guard;
  const BounceLimits few{.bad_per_client = 2};
  const base::SteadyTime now{std::chrono::hours(1)};
  const BounceAddress weak{"srs0=fbad=74=e.example=u@srs.example.org", "u@e.example", true};
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(guard.objection_to("192.0.2.0/24", few, now));
    EXPECT_FALSE(guard.take(weak, "192.0.2.0/24", few, now));
  }
  EXPECT_TRUE(guard.objection_to("192.0.2.0/24", few, now));
}

TEST(BounceGuard, WhoIsOverOneLimitDoesNotUseUpTheOthers) {
  BounceGuard guard;
  const BounceLimits few{.per_address = 1, .per_sender = 2, .per_client = 10};
  const base::SteadyTime now{std::chrono::hours(1)};
  const BounceAddress one{"one", "ann", false};
  EXPECT_FALSE(guard.take(one, "client", few, now));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(guard.take(one, "client", few, now));
  EXPECT_FALSE(guard.take({"two", "ann", false}, "client", few, now));
}

}  // namespace
}  // namespace relay::inbound
