// Whole messages: the spoofs of "Composition Kills" (S-15) against a domain that wants them
// refused.
#include "relay/auth/dmarc/verification.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/auth/dmarc/name_world.hpp"

namespace relay::auth::dmarc {
namespace {

using mail::DkimResult;
using mail::DmarcPolicy;
using mail::DmarcResult;
using mail::SpfResult;
using testing::IsEmpty;

/// Of the victim all mail that fails is to be rejected; the attacker's own domain is in order.
constexpr const char* kZone =
    "_dmarc.victim.example TXT \"v=DMARC1; p=reject\"\n"
    "_dmarc.attack.example TXT \"v=DMARC1; p=none\"\n";

/// What an attacker has: SPF and DKIM of a domain of his own.
mail::Authentication attackers() {
  mail::Authentication found;
  found.helo.result = SpfResult::Pass;
  found.helo.domain = "attack.example";
  found.mail_from = {.result = SpfResult::Pass, .domain = "attack.example"};
  found.dkim = {{.result = DkimResult::Pass, .domain = "attack.example"}};
  return found;
}

mail::DmarcVerdict verdict_on_header(NameWorld& world, std::string block,
                                     mail::Authentication authentication) {
  return dns::turn_loop(
      world.io(),
      verify(world.resolver(), {std::move(block), std::move(authentication)}, world.deadline()));
}

TEST(Verification, PassesWhatIsTheVictimsOwn) {
  NameWorld world(kZone);
  mail::Authentication own;
  own.dkim = {{.result = DkimResult::Pass, .domain = "victim.example"}};
  const auto verdict = verdict_on_header(world, "From: Ann <ann@victim.example>\r\n", own);
  EXPECT_EQ(verdict.result, DmarcResult::Pass);
  EXPECT_EQ(verdict.from_domain, "victim.example");
}

TEST(Verification, PassesWhatTheAttackerSendsInHisOwnName) {
  NameWorld world(kZone);
  const auto verdict = verdict_on_header(
      world, "From: \"admin@victim.example\" <a@attack.example>\r\n", attackers());
  EXPECT_EQ(verdict.result, DmarcResult::Pass);
  EXPECT_EQ(verdict.from_domain, "attack.example");
}

class Spoof : public testing::TestWithParam<const char*> {};

/// Whoever reads the victim in it, DMARC has the victim's policy or the strictest for it.
TEST_P(Spoof, EndsInReject) {
  NameWorld world(kZone);
  const auto verdict = verdict_on_header(world, GetParam(), attackers());
  EXPECT_TRUE(verdict.result == DmarcResult::Fail || verdict.result == DmarcResult::PermError)
      << name_of(verdict.result);
  EXPECT_EQ(verdict.policy, DmarcPolicy::Reject);
  EXPECT_NE(verdict.problem, "");
}

INSTANTIATE_TEST_SUITE_P(
    CompositionKills, Spoof,
    testing::Values("From: <admin@victim.example>\r\n", "From: admin@sub.victim.example\r\n",
                    "From: <first@attack.example>\r\nFrom: <admin@victim.example>\r\n",
                    " From: <first@attack.example>\r\nFrom: <admin@victim.example>\r\n",
                    "From: <first@attack.example>\r\nFrom : <admin@victim.example>\r\n",
                    "From\r\n : <first@attack.example>\r\nFrom: <admin@victim.example>\r\n",
                    "From\r\n : <first@attack.example>\r\nSender: <admin@victim.example>\r\n",
                    "From\r\n : <first@attack.example>\r\nResent-From: <admin@victim.example>\r\n",
                    "From: <first@attack.example>, <admin@victim.example>\r\n",
                    "From: <admin@victim.example>, <first@attack.example>\r\n",
                    "From:=?utf-8?B?PGFkbWluQHZpY3RpbS5leGFtcGxlPg==?=,<second@attack.example>\r\n",
                    "From: <@attack.example,@any.example:admin@victim.example>\r\n",
                    "From: <admin@victim.example>\\,<second@attack.example>\r\n",
                    "From: admin@victim.example,<second@attack.example>\r\n",
                    "From: <any@attack.example>admin@victim.example\r\n",
                    "From: admin@victim.example <any@attack.example>\r\n",
                    "From: admin@victim.example: <any@attack.example>;\r\n",
                    "From: A: admin@victim.example, any@attack.example;\r\n",
                    "From: admin@victim.example(any@attack.example)\r\n",
                    "Sender: <any@attack.example>\r\nFrom: <admin@victim.example>\r\n",
                    "Resent-From: <any@attack.example>\r\nFrom: <admin@victim.example>\r\n",
                    "Sender: <any@attack.example>\r\n", ""));

/// No lookups for a message whose author cannot be told.
TEST(Verification, AsksNothingInVain) {
  NameWorld world(kZone);
  verdict_on_header(world, "From: a@victim.example\r\nFrom: b@victim.example\r\n", attackers());
  EXPECT_THAT(world.walked(), IsEmpty());
}

TEST(Verification, TakesHeloForTheNullSender) {
  NameWorld world(kZone);
  mail::Authentication bounce;
  bounce.helo.result = SpfResult::Pass;
  bounce.helo.domain = "mx.victim.example";
  Subject subject{"From: <mailer-daemon@victim.example>\r\n", bounce, true};
  const auto pass = dns::turn_loop(world.io(), verify(world.resolver(), subject, world.deadline()));
  EXPECT_EQ(pass.result, DmarcResult::Pass);
  subject.null_sender = false;
  const auto fail = dns::turn_loop(world.io(), verify(world.resolver(), subject, world.deadline()));
  EXPECT_EQ(fail.result, DmarcResult::Fail);
}

}  // namespace
}  // namespace relay::auth::dmarc
