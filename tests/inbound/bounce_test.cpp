// Messages to our SRS addresses, in a session (guarantee "An SRS address takes bounces, within
// limits").
#include <chrono>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/inbound/session.hpp"
#include "tests/inbound/house.hpp"
#include "tests/inbound/srs_addresses.hpp"

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

TEST(Bounces, ABounceReachesItsSenderWithTheNullSender) {
  House house;
  EXPECT_THAT(talk(house, {srs_address(house, "Ann@sender.example")}), HasSubstr("queued as"));
  ASSERT_EQ(house.queue.stored.size(), 1U);
  const auto& route = house.queue.stored[0].message.routes[0];
  EXPECT_EQ(route.target.to_string(), "Ann@sender.example");
  EXPECT_TRUE(route.reverse_path.is_null());
  // The SRS address goes no further.
  EXPECT_THAT(house.queue.stored[0].message.message.trace_fields, Not(HasSubstr("\tfor ")));
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
  small.bounces.max_body = 1000;
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

TEST(BounceGuesses, AreSlowedDownAndMakeNoRightAddressWrong) {
  House house(limits({.bad_per_client = 3}));
  const std::string good = srs_address(house, "ann@sender.example");
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(talk(house, {forged(house, i)}), HasSubstr("550 5.1.8"));
  }
  const std::string wrong_now = talk(house, {forged(house, 3)});
  EXPECT_THAT(wrong_now, HasSubstr("450 4.7.1"));
  EXPECT_THAT(wrong_now, Not(HasSubstr("550 5.1.8")));
  EXPECT_THAT(talk(house, {good}), HasSubstr("queued as")) << "40 bits are not found by trying";
  EXPECT_EQ(house.bounces.totals().refused, 3U);
  house.clock.advance(std::chrono::minutes(21));
  EXPECT_THAT(talk(house, {forged(house, 4)}), HasSubstr("550 5.1.8"));
}

TEST(BounceGuesses, OfEverybodyAreCountedTogetherAsWell) {
  House house(limits({.bad_per_client = 2, .bad_in_all = 3}));
  for (int i = 0; i < 3; ++i) {
    const std::string peer = "192.0." + std::to_string(i) + ".1";
    EXPECT_THAT(talk(house, {wrong_classic(house, i)}, "x\r\n", peer), HasSubstr("550 5.1.8"));
  }
  EXPECT_THAT(talk(house, {wrong_classic(house, 9)}, "x\r\n", "192.0.9.1"), HasSubstr("450 4.7.1"));
}

TEST(BounceGuesses, OfStrangersLeaveAnAllowanceToNetworksThatTakeOurMail) {
  House house(limits({.bad_per_client = 1, .bad_in_all = 2, .bad_per_taker = 2}));
  house.bounces.note_taker(base::origin_of("198.51.100.1"), house.clock.steady());
  const std::string classic = classic_address(house, "ann");
  EXPECT_THAT(talk(house, {classic}, "x\r\n", "203.0.113.9"), HasSubstr("queued as"));
  for (int i = 0; i < 2; ++i) {
    const std::string peer = "192.0." + std::to_string(i) + ".1";
    EXPECT_THAT(talk(house, {wrong_classic(house, i)}, "x\r\n", peer), HasSubstr("550 5.1.8"));
  }
  EXPECT_THAT(talk(house, {classic}, "x\r\n", "203.0.113.9"), HasSubstr("450 4.7.1"));
  EXPECT_THAT(talk(house, {srs_address(house, "ann@sender.example")}, "x\r\n", "203.0.113.9"),
              HasSubstr("queued as"));
  // Any host of that network, and as often as it is right.
  for (const char* peer : {"198.51.100.7", "198.51.100.8", "198.51.100.7"}) {
    EXPECT_THAT(talk(house, {classic}, "x\r\n", peer), HasSubstr("queued as")) << peer;
  }
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(talk(house, {wrong_classic(house, i)}, "x\r\n", "198.51.100.7"),
                HasSubstr("550 5.1.8"));
  }
  EXPECT_THAT(talk(house, {wrong_classic(house, 3)}, "x\r\n", "198.51.100.7"),
              HasSubstr("450 4.7.1"));
  EXPECT_THAT(talk(house, {classic}, "x\r\n", "198.51.100.8"), HasSubstr("450 4.7.1"));
}

/// Nobody finds a strong tag by guessing, so wrong ones cost other clients nothing.
TEST(BounceGuesses, OfStrongTagsAreTheirClientsOwnAffair) {
  House house(limits({.bad_per_client = 2, .bad_in_all = 3}));
  const std::string classic = classic_address(house, "ann");
  for (int i = 0; i < 30; ++i) {
    const std::string peer = "192.0." + std::to_string(i) + ".1";
    EXPECT_THAT(talk(house, {forged(house, i)}, "x\r\n", peer), HasSubstr("550 5.1.8"));
  }
  EXPECT_THAT(talk(house, {classic}, "x\r\n", "203.0.113.9"), HasSubstr("queued as"));
  EXPECT_EQ(house.bounces.totals().refused, 30U);
  // The client's own limit counts both kinds.
  EXPECT_THAT(talk(house, {wrong_classic(house, 1)}, "x\r\n", "192.0.0.9"), HasSubstr("550 5.1.8"));
  EXPECT_THAT(talk(house, {forged(house, 40)}, "x\r\n", "192.0.0.9"), HasSubstr("450 4.7.1"));
  EXPECT_THAT(talk(house, {classic}, "x\r\n", "192.0.0.9"), HasSubstr("450 4.7.1"));
  EXPECT_THAT(talk(house, {srs_address(house, "ann@sender.example")}, "x\r\n", "192.0.0.9"),
              HasSubstr("queued as"));
}

TEST(BounceGuesses, OfShortTagsLeaveWrongStrongOnesTheirPlainAnswer) {
  House house(limits({.bad_per_client = 1, .bad_in_all = 2}));
  for (int i = 0; i < 2; ++i) {
    const std::string peer = "192.0." + std::to_string(i) + ".1";
    EXPECT_THAT(talk(house, {wrong_classic(house, i)}, "x\r\n", peer), HasSubstr("550 5.1.8"));
  }
  EXPECT_THAT(talk(house, {wrong_classic(house, 3)}, "x\r\n", "203.0.113.9"),
              HasSubstr("450 4.7.1"));
  EXPECT_THAT(talk(house, {forged(house, 3)}, "x\r\n", "203.0.113.9"), HasSubstr("550 5.1.8"));
}

/// Otherwise a guesser would hear of a right tag under an expired stamp.
TEST(BounceGuesses, ARightTagUnderAnOldStampIsNotToldFromAWrongOne) {
  House house(limits({.bad_per_client = 1}));
  const std::string classic = classic_address(house, "ann");
  const std::string strong = srs_address(house, "ann@sender.example");
  house.clock.jump_wall(std::chrono::hours(24) * 40);
  EXPECT_THAT(talk(house, {classic}), HasSubstr("550 5.1.8"));
  EXPECT_THAT(talk(house, {forged(house, 1)}), HasSubstr("550 5.1.8"));
  EXPECT_THAT(talk(house, {classic}), HasSubstr("450 4.7.1"));
  EXPECT_THAT(talk(house, {strong}), HasSubstr("550 5.1.8"));
  const std::string domain = strong.substr(strong.find('@'));
  EXPECT_THAT(talk(house, {"random-1-testing" + domain}), HasSubstr("550 5.1.8"));
}

/// When the guesses are used up, a right tag must not get as far as other objections.
TEST(BounceGuesses, ARightTagIsNotToldByWhatElseIsWrongWithIt) {
  House house(limits({.bad_per_client = 1}));
  EXPECT_THAT(talk(house, {wrong_classic(house, 1)}), HasSubstr("550 5.1.8"));
  for (const std::string& address : {classic_address(house, "ann"), wrong_classic(house, 2)}) {
    const std::string heard = talk(house, {"info@example.org", address});
    EXPECT_THAT(heard, HasSubstr("450 4.7.1 Too many bounces")) << address;
    EXPECT_THAT(heard, Not(HasSubstr("452"))) << address;
  }
}

/// Other systems ask for all kinds of names, and an expired address was right once, so neither
/// counts as a guess.
TEST(BounceGuesses, AreWrongTagsAndNothingElse) {
  House house(limits({.bad_per_client = 1}));
  const std::string old = srs_address(house, "ann@sender.example");
  const std::string token = srs_address(house, std::string(60, 'a') + "@long.sender.example");
  ASSERT_THAT(token, testing::StartsWith("srst="));
  house.clock.jump_wall(std::chrono::hours(24) * 40);
  const std::string domain = old.substr(old.find('@'));
  // A right tag over a sender that cannot be answered.
  const std::string dotless = classic_address(house, "root", "localhost");
  const std::string circle = classic_address(house, "any", "srs.example.org");
  for (const std::string& address :
       {token, old, "random-1-testing" + domain, "x" + domain, dotless, circle}) {
    EXPECT_THAT(talk(house, {address}), HasSubstr("550 5.1.8")) << address;
  }
  EXPECT_EQ(house.bounces.totals().refused, 0U);
  EXPECT_THAT(talk(house, {forged(house, 1)}), HasSubstr("550 5.1.8"));
}

/// As mail systems do that verify senders before they take a message.
TEST(BounceProbes, AreAnsweredWhoeverAsksAndChargedToNoBounce) {
  House house(limits({.per_address = 1, .per_sender = 1, .per_client = 1}));
  const std::string ann = srs_address(house, "ann@sender.example");
  for (const char* sender : {"<>", "<double-bounce@mx.target.example>", "<postmaster@x.example>"}) {
    for (int i = 0; i < 5; ++i) {
      const auto wire =
          house.dial({"EHLO mx.target.example\r\n", "MAIL FROM:" + std::string(sender) + "\r\n",
                      "RCPT TO:<" + ann + ">\r\n", "QUIT\r\n"});
      house.poll();
      EXPECT_THAT(wire->sent, HasSubstr("250 2.1.5")) << sender;
    }
  }
  EXPECT_EQ(house.bounces.totals().taken, 0U);
  EXPECT_THAT(talk(house, {ann}), HasSubstr("queued as"));
  EXPECT_THAT(talk(house, {ann}), HasSubstr("450 4.7.1"));
}

TEST(BounceProbes, HaveABudgetOfTheirOwn) {
  House house(limits({.probes_per_client = 3}));
  const std::string ann = srs_address(house, "ann@sender.example");
  for (int i = 0; i < 3; ++i) EXPECT_THAT(talk(house, {ann}), HasSubstr("queued as"));
  EXPECT_THAT(talk(house, {ann}), HasSubstr("450 4.7.1"));
}

const base::Origin kClient = base::origin_of("192.0.2.1");

TEST(BounceGuard, AnAddressThatProvesLittleCountsAgainstTheTighterLimit) {
  BounceGuard guard;
  const BounceLimits few{.bad_per_client = 2};
  const base::SteadyTime now{std::chrono::hours(1)};
  const BounceAddress weak{"srs0=fbad=74=e.example=u@srs.example.org", "u@e.example", true};
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(guard.objection_to_guessable(kClient, few, now));
    EXPECT_FALSE(guard.take(weak, kClient, few, now));
  }
  EXPECT_TRUE(guard.objection_to_guessable(kClient, few, now));
}

TEST(BounceGuard, KnowsANetworkThatTakesOurMailForFiveDays) {
  BounceGuard guard;
  const BounceLimits few{.bad_per_client = 1, .bad_per_taker = 1};
  const base::SteadyTime start{std::chrono::hours(1)};
  guard.note_taker(kClient, start);
  const auto hears_after = [&](std::chrono::hours passed) {
    const base::SteadyTime now = start + passed;
    EXPECT_FALSE(guard.note_guess(kClient, true, few, now));
    return guard.objection_to_guessable(kClient, few, now).has_value();
  };
  EXPECT_FALSE(hears_after(std::chrono::hours(1)));
  EXPECT_FALSE(hears_after(std::chrono::hours(120)));
  EXPECT_TRUE(hears_after(std::chrono::hours(122)));
}

TEST(BounceGuard, WhoIsOverOneLimitDoesNotUseUpTheOthers) {
  BounceGuard guard;
  const BounceLimits few{.per_address = 1, .per_sender = 2, .per_client = 10};
  const base::SteadyTime now{std::chrono::hours(1)};
  const BounceAddress one{"one", "ann", false};
  EXPECT_FALSE(guard.take(one, kClient, few, now));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(guard.take(one, kClient, few, now));
  EXPECT_FALSE(guard.take({"two", "ann", false}, kClient, few, now));
}

TEST(BounceGuard, WhoIsExemptLeavesTheDebtsOfItsNetworkAlone) {
  BounceGuard guard;
  const BounceLimits few{.per_client = 1, .bad_per_client = 1, .probes_per_client = 1};
  const BounceLimits lifted = few.without_clients();
  const base::Origin neighbour = base::origin_of("192.0.2.2");
  const base::SteadyTime now{std::chrono::hours(1)};
  const base::SteadyTime later = now + std::chrono::minutes(1);
  EXPECT_FALSE(guard.note_guess(kClient, true, few, now));
  EXPECT_FALSE(guard.probe(kClient, few, now));
  EXPECT_FALSE(guard.take({"one", "ann", false}, kClient, few, now));
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(guard.note_guess(neighbour, true, lifted, later));
    EXPECT_FALSE(guard.probe(neighbour, lifted, later));
    EXPECT_FALSE(guard.take({"a" + std::to_string(i), "bob", false}, neighbour, lifted, later));
  }
  EXPECT_TRUE(guard.objection_to_guessable(kClient, few, later));
  EXPECT_TRUE(guard.probe(kClient, few, later));
  EXPECT_TRUE(guard.take({"two", "ann", false}, kClient, few, later));
}

/// An IPv6 /48 has 65,536 networks, and as many guesses as two of them.
TEST(BounceGuard, CountsGuessesOfAWiderNetworkTogether) {
  BounceGuard guard;
  const BounceLimits few{.bad_per_client = 3, .bad_in_all = 1000};
  const base::SteadyTime now{std::chrono::hours(1)};
  int heard = 0;
  for (int i = 1; i <= 100; ++i) {
    const auto from = base::origin_of(fmt::format("2001:db8:1:{:x}::1", i));
    heard += guard.note_guess(from, true, few, now) ? 0 : 1;
  }
  EXPECT_EQ(heard, 6);
  EXPECT_FALSE(guard.note_guess(base::origin_of("2001:db8:2::1"), true, few, now));
}

}  // namespace
}  // namespace relay::inbound
