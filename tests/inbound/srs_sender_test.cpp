// MAIL FROM in our SRS domain: what a guesser learns from it.
#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/inbound/house.hpp"
#include "tests/inbound/srs_addresses.hpp"

namespace relay::inbound {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kRefused = "550 5.7.1 The sender is an address of this host";
constexpr const char* kPutOff = "450 4.7.1";
constexpr const char* kTaken = "250 2.0.0 queued";

Limits limits(BounceLimits bounces) {
  Limits all;
  all.bounces = bounces;
  return all;
}

/// What the sender of a message to info@example.org hears.
std::string send(House& house, const std::string& sender, const std::string& peer = "192.0.2.7") {
  static int number = 0;
  const std::string content = "From: Eve <eve@elsewhere.example>\r\nMessage-ID: <" +
                              std::to_string(++number) + "@x.example>\r\n\r\nx\r\n.\r\n";
  const auto wire = house.dial({"EHLO client.example\r\n", "MAIL FROM:<" + sender + ">\r\n",
                                "RCPT TO:<info@example.org>\r\n", "DATA\r\n", content, "QUIT\r\n"},
                               peer);
  house.poll();
  return wire->sent;
}

/// What RCPT of an SRS address hears.
std::string ask(House& house, const std::string& recipient, const std::string& peer = "192.0.2.7") {
  const auto wire = house.dial({"EHLO client.example\r\n", "MAIL FROM:<>\r\n",
                                "RCPT TO:<" + recipient + ">\r\n", "QUIT\r\n"},
                               peer);
  house.poll();
  return wire->sent;
}

TEST(SrsSenderGuesses, AreLimitedLikeThoseByRcpt) {
  House house(limits({.bad_per_client = 3}));
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(send(house, wrong_classic(house, i)), HasSubstr(kRefused));
  }
  for (const std::string& sender : {wrong_classic(house, 3), classic_address(house, "ann")}) {
    const std::string heard = send(house, sender);
    EXPECT_THAT(heard, HasSubstr(kPutOff)) << sender;
    EXPECT_THAT(heard, Not(HasSubstr("550 "))) << sender;
    EXPECT_THAT(heard, Not(HasSubstr("250 2.1.5"))) << sender;
  }
  EXPECT_THAT(ask(house, classic_address(house, "ann")), HasSubstr(kPutOff))
      << "one count for both";
  EXPECT_THAT(send(house, srs_address(house, "ann@sender.example")), HasSubstr(kTaken));
  EXPECT_EQ(house.bounces.totals().refused, 3U);
  house.clock.advance(21min);
  EXPECT_THAT(send(house, wrong_classic(house, 4)), HasSubstr(kRefused));
}

TEST(SrsSenderGuesses, OfEverybodyAreCountedTogether) {
  House house(limits({.bad_per_client = 2, .bad_in_all = 3}));
  house.bounces.note_taker(base::origin_of("198.51.100.1"), house.clock.steady());
  for (int i = 0; i < 3; ++i) {
    const std::string peer = "192.0." + std::to_string(i) + ".1";
    EXPECT_THAT(send(house, wrong_classic(house, i), peer), HasSubstr(kRefused));
  }
  for (const std::string& sender : {wrong_classic(house, 9), classic_address(house, "ann")}) {
    EXPECT_THAT(send(house, sender, "192.0.9.1"), HasSubstr(kPutOff)) << sender;
  }
  EXPECT_THAT(send(house, classic_address(house, "ann"), "198.51.100.7"), HasSubstr(kTaken))
      << "a network that takes our mail";
  EXPECT_THAT(send(house, forged(house, 1), "203.0.113.9"), HasSubstr(kRefused))
      << "a strong tag is found by nobody";
}

TEST(SrsSenderGuesses, DoNotTellARightTagUnderAnOldStamp) {
  House house(limits({.bad_per_client = 1}));
  const std::string old = classic_address(house, "ann");
  house.clock.jump_wall(std::chrono::hours(24) * 40);
  EXPECT_THAT(send(house, old), HasSubstr(kRefused));
  EXPECT_EQ(house.bounces.totals().refused, 0U) << "what was ours once is no guess";
  EXPECT_THAT(send(house, wrong_classic(house, 1)), HasSubstr(kRefused));
  EXPECT_THAT(send(house, old), HasSubstr(kPutOff));
}

TEST(SrsSenderGuesses, AreNotAnyOtherNames) {
  House house(limits({.bad_per_client = 1}));
  for (const char* sender : {"anything@srs.example.org", "srs-team@srs.example.org"}) {
    EXPECT_THAT(send(house, sender), HasSubstr(kRefused)) << sender;
  }
  EXPECT_EQ(house.bounces.totals().refused, 0U);
}

}  // namespace
}  // namespace relay::inbound
