// The examples of RFC 9989: §4.10, §4.10.2 and appendix B, as they stand there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/auth/dmarc/name_world.hpp"

namespace relay::auth::dmarc {
namespace {

using mail::DmarcPolicy;
using mail::DmarcResult;
using testing::ElementsAre;

constexpr const char* kExampleCom = "_dmarc.example.com TXT \"v=DMARC1; p=reject\"\n";

TEST(RfcExamples, WalkOfALongName) {
  NameWorld world("");
  const auto verdict = world.verdict("a.b.c.d.e.f.g.h.i.j.mail.example.com", {});
  EXPECT_EQ(verdict.result, DmarcResult::None);
  EXPECT_THAT(world.walked(),
              ElementsAre("a.b.c.d.e.f.g.h.i.j.mail.example.com", "g.h.i.j.mail.example.com",
                          "h.i.j.mail.example.com", "i.j.mail.example.com", "j.mail.example.com",
                          "mail.example.com", "example.com", "com"));
}

TEST(RfcExamples, SpfInStrictAlignment) {
  NameWorld world(kExampleCom);
  EXPECT_TRUE(world.verdict("example.com", {.spf = "example.com"}).spf_aligned);
  EXPECT_EQ(world.questions(), 1U);
}

TEST(RfcExamples, SpfInRelaxedAlignment) {
  NameWorld world(kExampleCom);
  const auto verdict = world.verdict("example.com", {.spf = "child.example.com"});
  EXPECT_TRUE(verdict.spf_aligned);
  EXPECT_EQ(verdict.result, DmarcResult::Pass);
}

TEST(RfcExamples, SpfNotAligned) {
  NameWorld world(kExampleCom);
  const auto verdict = world.verdict("child.example.com", {.spf = "example.net"});
  EXPECT_FALSE(verdict.spf_aligned);
  EXPECT_EQ(verdict.result, DmarcResult::Fail);
}

TEST(RfcExamples, DkimInAlignmentOrNot) {
  NameWorld world(kExampleCom);
  EXPECT_TRUE(world.verdict("example.com", {.dkim = {"example.com"}}).dkim_aligned);
  EXPECT_TRUE(world.verdict("child.example.com", {.dkim = {"example.com"}}).dkim_aligned);
  EXPECT_FALSE(world.verdict("child.example.com", {.dkim = {"example.net"}}).dkim_aligned);
}

/// B.2.5: a subdomain that tests.
TEST(RfcExamples, TestingSubdomain) {
  NameWorld world(
      "_dmarc.test.example.com TXT \"v=DMARC1; p=quarantine; \" "
      "\"rua=mailto:dmarc-feedback@example.com,\" \"mailto:tld-test@thirdparty.example.net; \" "
      "\"t=y\"\n");
  const auto verdict = world.verdict("test.example.com", {});
  EXPECT_EQ(verdict.result, DmarcResult::Fail);
  EXPECT_EQ(verdict.policy, DmarcPolicy::None);
  EXPECT_TRUE(verdict.testing);
}

/// B.3.1.
TEST(RfcExamples, SmtpSession) {
  NameWorld world(
      "_dmarc.example.com TXT \"v=DMARC1; p=reject; aspf=r; "
      "rua=mailto:dmarc-feedback@example.com\"\n");
  const auto verdict =
      world.verdict("example.com", {.spf = "mail.example.com", .dkim = {"example.com"}});
  EXPECT_EQ(verdict.result, DmarcResult::Pass);
  EXPECT_TRUE(verdict.spf_aligned);
  EXPECT_TRUE(verdict.dkim_aligned);
  EXPECT_EQ(verdict.policy, DmarcPolicy::Reject);
}

constexpr const char* kSigning =
    "_dmarc.example.com         TXT \"v=DMARC1; p=reject\"\n"
    "_dmarc.signing.example.com TXT \"v=DMARC1; p=none\"\n";

/// B.4.1.
TEST(RfcExamples, SimpleOrganisation) {
  NameWorld world(kSigning);
  const auto verdict =
      world.verdict("example.com", {.spf = "example.com", .dkim = {"signing.example.com"}});
  EXPECT_EQ(verdict.result, DmarcResult::Pass);
  EXPECT_TRUE(verdict.spf_aligned);
  EXPECT_TRUE(verdict.dkim_aligned);
  EXPECT_EQ(verdict.policy_domain, "example.com");
  EXPECT_THAT(world.walked(), ElementsAre("example.com", "com", "signing.example.com"));
}

/// B.4.2.
TEST(RfcExamples, DeepTreeWalk) {
  NameWorld world(kSigning);
  const auto verdict = world.verdict("a.b.c.d.e.f.g.h.i.j.k.example.com",
                                     {.spf = "example.com", .dkim = {"signing.example.com"}});
  EXPECT_TRUE(verdict.spf_aligned);
  EXPECT_TRUE(verdict.dkim_aligned);
  EXPECT_EQ(verdict.policy_domain, "example.com");
  EXPECT_THAT(world.walked(),
              ElementsAre("a.b.c.d.e.f.g.h.i.j.k.example.com", "g.h.i.j.k.example.com",
                          "h.i.j.k.example.com", "i.j.k.example.com", "j.k.example.com",
                          "k.example.com", "example.com", "com", "signing.example.com"));
}

/// B.4.3.
TEST(RfcExamples, PublicSuffixWithARecord) {
  NameWorld world(
      "_dmarc.bank.example       TXT \"v=DMARC1; p=reject; psd=y\"\n"
      "_dmarc.giant.bank.example TXT \"v=DMARC1; p=quarantine\"\n");
  const auto verdict = world.verdict(
      "giant.bank.example", {.spf = "mail.giant.bank.example", .dkim = {"mail.mega.bank.example"}});
  EXPECT_EQ(verdict.result, DmarcResult::Pass);
  EXPECT_TRUE(verdict.spf_aligned);
  EXPECT_FALSE(verdict.dkim_aligned);
  EXPECT_EQ(verdict.policy_domain, "giant.bank.example");
  EXPECT_EQ(verdict.policy, DmarcPolicy::Quarantine);
}

/// §11.8: a domain outside the organisation stays outside, whatever stands above both.
TEST(RfcExamples, OrganisationBelowAnotherIsKeptApart) {
  NameWorld world(
      "_dmarc.mail.example.com TXT \"v=DMARC1; p=reject; psd=n\"\n"
      "_dmarc.example.com      TXT \"v=DMARC1; p=reject\"\n");
  EXPECT_EQ(world.verdict("a.mail.example.com", {.spf = "mail.example.com"}).result,
            DmarcResult::Pass);
  EXPECT_EQ(world.verdict("evil.example.com", {.spf = "mail.example.com"}).result,
            DmarcResult::Fail);
}

}  // namespace
}  // namespace relay::auth::dmarc
