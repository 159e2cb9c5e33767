// MAIL FROM in our SRS domain: the sender it stands for, the address that leaves, and what a
// guesser learns (guarantee "A sender in our SRS domain stands for somebody").
#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/inbound/house.hpp"
#include "tests/inbound/srs_addresses.hpp"

namespace relay::inbound {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

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

/// The sender behind `address`, as RCPT would find it; "" for the address of a message.
std::string behind(House& house, const std::string& address) {
  const auto found = house.policy.get()->planner->directory().resolve(
      *mail::parse_forward_path('<' + address + '>'), house.clock.wall());
  if (const auto* lookup = std::get_if<forward::TokenLookup>(&found)) {
    return house.tokens.senders.at(lookup->token).to_string();
  }
  const auto& back = std::get<forward::ResolvedRecipient>(found);
  EXPECT_TRUE(back.is_bounce);
  return back.targets.empty() ? "" : back.targets.front().to_string();
}

/// Sent on a day later, so that another address of the same kind leaves.
void expect_wrapped_anew(House& house, const std::string& address, const std::string& sender) {
  house.clock.jump_wall(std::chrono::hours(24));
  const std::size_t before = house.queue.stored.size();
  EXPECT_THAT(send(house, address), HasSubstr(kTaken)) << address;
  ASSERT_EQ(house.queue.stored.size(), before + 1) << address;
  const ports::NewMessage& stored = house.queue.stored.back().message;
  for (const mail::SenderToken& token : stored.tokens) {
    house.tokens.senders.insert_or_assign(token.token, token.reverse_path);
  }
  const std::string left = stored.routes.front().reverse_path.to_string();
  EXPECT_NE(left, address);
  EXPECT_THAT(left, StartsWith(address.substr(0, 5)));
  EXPECT_THAT(left, EndsWith("@srs.example.org"));
  EXPECT_EQ(behind(house, left), sender) << left;
  // The reader of our DSN; a DSN to the address of a message has none.
  EXPECT_EQ(stored.message.reverse_path.to_string(), sender.empty() ? address : sender);
}

TEST(SrsSenders, WithALiveTagAreWrappedAnew) {
  for (const char* zone : {static_cast<const char*>(nullptr), "nothing.example A 192.0.2.1\n"}) {
    House house;
    if (zone != nullptr) house.verify(zone);  // verified or not: the same address leaves
    expect_wrapped_anew(house, srs_address(house, "Ann@sender.example"), "Ann@sender.example");

    const std::string fits_not = std::string(60, 'a') + "@long.sender.example";
    const std::string token = srs_address(house, fits_not);
    ASSERT_THAT(token, StartsWith("srst="));
    house.tokens.senders.insert_or_assign(
        std::get<forward::TokenLookup>(
            house.policy.get()->planner->directory().resolve(
                *mail::parse_forward_path('<' + token + '>'), house.clock.wall()))
            .token,
        mail::ReversePath(*mail::Mailbox::parse(fits_not)));
    expect_wrapped_anew(house, token, fits_not);

    const std::string nobody = srs_address(house, "root@localhost");
    ASSERT_THAT(nobody, StartsWith("srsm="));
    expect_wrapped_anew(house, nobody, "");
  }
}

TEST(SrsSenders, UnderATokenThatNobodyStoredAreRefused) {
  House house;
  const std::string token = srs_address(house, std::string(60, 'a') + "@long.sender.example");
  EXPECT_THAT(send(house, token), HasSubstr(kRefused));
  EXPECT_TRUE(house.queue.stored.empty());
  house.tokens.error = ports::SpoolError::Unavailable;
  EXPECT_THAT(send(house, token), HasSubstr("451 4.3.0"));
}

/// A host that our SPF names may send in our name. That says nothing about the sender behind.
TEST(SrsSenders, AreNotProvenByTheSpfOfOurOwnDomain) {
  House house;
  house.verify(
      "srs.example.org TXT \"v=spf1 ip4:192.0.2.7 -all\"\n"
      "sender.example TXT \"v=spf1 ip4:192.0.2.7 -all\"\n");
  EXPECT_THAT(send(house, srs_address(house, "ann@sender.example")), HasSubstr(kTaken));
  const ports::NewMessage& stored = house.queue.stored.back().message;
  EXPECT_THAT(stored.message.trace_fields, HasSubstr("spf=pass")) << "what was found is reported";
  EXPECT_FALSE(stored.message.sender_authenticated);
  EXPECT_FALSE(stored.owes_notices);
  EXPECT_THAT(send(house, "ann@sender.example"), HasSubstr(kTaken));
  EXPECT_TRUE(house.queue.stored.back().message.message.sender_authenticated);
}

/// Otherwise all such senders would share the limit of our SRS domain.
TEST(SrsSenders, CountForTheDomainOfTheSenderBehind) {
  House house;
  auto policy = std::make_shared<Policy>(*house.policy.get());
  policy->abuse.rates.per_sender_domain = {1, 1h};
  house.policy.publish(std::move(policy));
  EXPECT_THAT(send(house, srs_address(house, "ann@one.example")), HasSubstr(kTaken));
  EXPECT_THAT(send(house, srs_address(house, "bob@two.example")), HasSubstr(kTaken));
  EXPECT_THAT(send(house, srs_address(house, "cid@two.example")), HasSubstr("451 4.7.1"));
}

}  // namespace
}  // namespace relay::inbound
