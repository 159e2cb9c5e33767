// Which names are looked up, how often, and the result if an answer is missing.
#include "relay/auth/dmarc/discovery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/auth/dmarc/tree_walk.hpp"
#include "tests/auth/dmarc/name_world.hpp"

namespace relay::auth::dmarc {
namespace {

using mail::DmarcPolicy;
using mail::DmarcResult;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kReject = "_dmarc.example.com TXT \"v=DMARC1; p=reject\"\n";

TEST(Discovery, AsksOnceWhenTheAuthorHasAPolicyAndNobodyVouches) {
  NameWorld world(kReject);
  const auto findings = world.discover({{"example.com"}, {}});
  ASSERT_EQ(findings.authors.size(), 1U);
  ASSERT_TRUE(findings.authors[0].policy && *findings.authors[0].policy);
  EXPECT_EQ((*findings.authors[0].policy)->domain, "example.com");
  EXPECT_THAT(world.walked(), ElementsAre("example.com"));
}

TEST(Discovery, WalksOnlyForIdentifiersInsideTheOrganisation) {
  NameWorld world(kReject);
  world.discover(
      {{"example.com"}, {.spf = "mail.attack.com", .dkim = {"attack.com", "example.org", "com"}}});
  EXPECT_THAT(world.walked(), ElementsAre("example.com", "com"));
}

TEST(Discovery, DoesNotWalkForStrictModes) {
  NameWorld world("_dmarc.example.com TXT \"v=DMARC1; p=reject; adkim=s; aspf=s\"\n");
  world.discover({{"example.com"}, {.spf = "a.example.com", .dkim = {"b.example.com"}}});
  EXPECT_THAT(world.walked(), ElementsAre("example.com"));
}

/// Which of them has passed is known later. An organisation that was not looked up then would be a
/// temporary error, the same one at each attempt.
TEST(Discovery, LooksAtEverySignatureInsideTheOrganisation) {
  NameWorld world(kReject);
  const auto findings = world.discover(
      {{"example.com"}, {.dkim = {"example.com", "a.example.com", "attack.com", "b.example.com"}}});
  EXPECT_THAT(world.walked(), ElementsAre("example.com", "com", "a.example.com", "b.example.com"));
  for (const char* passed : {"example.com", "a.example.com", "b.example.com"}) {
    EXPECT_EQ(evaluate(findings, {.dkim = {passed}}).result, DmarcResult::Pass) << passed;
  }
  EXPECT_EQ(evaluate(findings, {.dkim = {"attack.com"}}).result, DmarcResult::Fail);
  EXPECT_EQ(
      evaluate(findings, {.dkim = {"a.example.com"}, .reserved_dkim = {"example.com"}}).result,
      DmarcResult::Pass);
}

TEST(Discovery, StopsAtASuffixAndAtWhatIsNone) {
  NameWorld suffix("_dmarc.example TXT \"v=DMARC1; p=reject; psd=n\"\n_dmarc.b.example EXISTS\n");
  suffix.discover({{"a.b.example"}, {}});
  EXPECT_THAT(suffix.walked(), ElementsAre("a.b.example", "b.example", "example"));
  NameWorld none("_dmarc.b.example TXT \"v=DMARC1; p=reject; psd=n\"\n");
  none.discover({{"a.b.example"}, {}});
  EXPECT_THAT(none.walked(), ElementsAre("a.b.example", "b.example"));
  NameWorld yes("_dmarc.b.example TXT \"v=DMARC1; p=reject; psd=y\"\n");
  yes.discover({{"a.b.example"}, {}});
  EXPECT_THAT(yes.walked(), ElementsAre("a.b.example", "b.example"));
}

/// Eight, however deep; and the answers of one walk serve the next.
TEST(Discovery, AsksAtMostEightTimesAWalk) {
  std::string domain = "example.com";
  for (int labels = 2; labels < 100; ++labels) {
    NameWorld world("");
    world.discover({{domain}, {.spf = "a." + domain, .dkim = {"b." + domain}}});
    EXPECT_LE(world.questions(), kMaxWalkQueries) << domain;
    domain.insert(0, "d.");
  }
}

/// As if there were none (RFC 9989 §4.10): the parent's counts.
TEST(Discovery, PassesOverANameWithSeveralRecords) {
  NameWorld world(
      "_dmarc.a.example.com TXT \"v=DMARC1; p=none\"\n"
      "_dmarc.a.example.com TXT \"v=DMARC1; p=quarantine\"\n"
      "_dmarc.example.com   TXT \"v=DMARC1; p=reject\"\n"
      "_dmarc.example.com   TXT \"something else\"\n");
  const auto verdict = world.verdict("a.example.com", {});
  EXPECT_EQ(verdict.policy_domain, "example.com");
  EXPECT_EQ(verdict.policy, DmarcPolicy::Reject);
}

/// SERVFAIL, a bogus answer, one that does not come: never "no policy".
TEST(Discovery, IsATemporaryErrorAtEveryStepOfTheWalk) {
  const std::string author = "1.2.3.4.5.6.7.8.example.com";
  for (const char* failure : {"SERVFAIL", "BOGUS", "MALFORMED"}) {
    for (const std::string& name : walk_names(author)) {
      NameWorld world("_dmarc." + name + " " + failure + "\n");
      const auto verdict = world.verdict(author, {});
      EXPECT_EQ(verdict.result, DmarcResult::TempError) << name << " " << failure;
      EXPECT_EQ(world.walked().back(), name) << "nothing is asked in vain";
    }
  }
}

TEST(Discovery, IsATemporaryErrorWhenTheDeadlinePassed) {
  NameWorld world(kReject);
  const auto findings = support::run_task(
      world.io(), discover(world.resolver(), {{"example.com"}, {}}, base::Deadline{{}}));
  EXPECT_EQ(findings.authors[0].policy.error(), Unknown::TemporaryError);
}

/// An error further up does not revoke what is known already.
TEST(Discovery, KeepsThePolicyWhenOnlyTheOrganisationIsUnknown) {
  NameWorld world(std::string(kReject) + "_dmarc.com SERVFAIL\n");
  EXPECT_EQ(world.verdict("example.com", {}).result, DmarcResult::Fail);
  EXPECT_EQ(world.verdict("example.com", {.spf = "example.com"}).result, DmarcResult::Pass);
  EXPECT_EQ(world.verdict("example.com", {.spf = "attack.org"}).result, DmarcResult::Fail);
  const auto open = world.verdict("example.com", {.spf = "a.example.com"});
  EXPECT_EQ(open.result, DmarcResult::TempError);
  EXPECT_EQ(open.policy, DmarcPolicy::Reject);
  EXPECT_EQ(world.verdict("example.com", {.spf = "a.example.com", .dkim = {"example.com"}}).result,
            DmarcResult::Pass);
}

TEST(Discovery, IsATemporaryErrorWhenOnlyTheIdentifiersWalkFails) {
  NameWorld world(std::string(kReject) + "_dmarc.a.example.com SERVFAIL\n");
  EXPECT_EQ(world.verdict("example.com", {.spf = "a.example.com"}).result, DmarcResult::TempError);
  EXPECT_EQ(world.verdict("example.com", {.dkim = {"a.example.com", "b.example.com"}}).result,
            DmarcResult::Pass);
}

constexpr const char* kThreePolicies =
    "_dmarc.example.com TXT \"v=DMARC1; p=none; sp=quarantine; np=reject\"\n";

struct ExistenceCase {
  const char* name;
  std::string zone;
  DmarcResult result;
  DmarcPolicy policy;
};

void PrintTo(const ExistenceCase& one, std::ostream* out) { *out << one.name; }

class Existing : public testing::TestWithParam<ExistenceCase> {};

TEST_P(Existing, DecidesBetweenTheSubdomainPolicies) {
  NameWorld world(kThreePolicies + GetParam().zone);
  const auto verdict = world.verdict("a.example.com", {});
  EXPECT_EQ(verdict.result, GetParam().result);
  EXPECT_EQ(verdict.policy, GetParam().policy);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Existing,
    testing::Values(ExistenceCase{"NoSuchName", "", DmarcResult::Fail, DmarcPolicy::Reject},
                    ExistenceCase{"Address", "a.example.com A 192.0.2.1\n", DmarcResult::Fail,
                                  DmarcPolicy::Quarantine},
                    ExistenceCase{"Hosts", "a.example.com MX 10 mx.example.com\n",
                                  DmarcResult::Fail, DmarcPolicy::Quarantine},
                    ExistenceCase{"NullMx", "a.example.com MX 0 .\n", DmarcResult::Fail,
                                  DmarcPolicy::Quarantine},
                    ExistenceCase{"NoRecords", "a.example.com EXISTS\n", DmarcResult::Fail,
                                  DmarcPolicy::Quarantine},
                    ExistenceCase{"ServerFailure", "a.example.com SERVFAIL\n",
                                  DmarcResult::TempError, DmarcPolicy::Quarantine}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Existing, IsAskedOnlyWhenItDecides) {
  NameWorld itself(kThreePolicies);
  EXPECT_EQ(itself.verdict("example.com", {}).policy, DmarcPolicy::None);
  EXPECT_EQ(itself.questions(), 1U);
  NameWorld same("_dmarc.example.com TXT \"v=DMARC1; p=reject; np=reject\"\n");
  EXPECT_EQ(same.verdict("a.example.com", {}).policy, DmarcPolicy::Reject);
  EXPECT_EQ(same.questions(), 3U);
}

/// A name that is missing passes all the same, and its state need not be known for that.
TEST(Existing, DoesNotStandInTheWayOfAPass) {
  NameWorld world(std::string(kThreePolicies) + "a.example.com SERVFAIL\n");
  EXPECT_EQ(world.verdict("a.example.com", {.dkim = {"example.com"}}).result, DmarcResult::Pass);
}

TEST(Discovery, AsksEachNameOnceForSeveralAuthors) {
  NameWorld world(kReject);
  const auto findings =
      world.discover({{"example.com", "a.example.com", "b.example.com"}, {.spf = "c.example.com"}});
  EXPECT_EQ(findings.authors.size(), 3U);
  EXPECT_THAT(world.walked(),
              ElementsAre("example.com", "a.example.com", "com", "b.example.com", "c.example.com"));
}

/// Many deep signatures do not buy more lookups, and no pass for want of looking.
TEST(Discovery, IsBounded) {
  NameWorld world(kReject);
  Identifiers identifiers;
  for (int i = 0; i < 40; ++i) {
    const std::string deep = std::to_string(i) + ".a.b.c.d.e.f.g.h" + std::to_string(i);
    identifiers.dkim.push_back(deep + ".example.com");
  }
  // Each its own organisation, so that none is aligned and all are looked at.
  std::string zone = kReject;
  for (const auto& one : identifiers.dkim) zone += "_dmarc." + one + " TXT \"v=DMARC1; psd=n\"\n";
  NameWorld apart(zone);
  EXPECT_EQ(apart.verdict("example.com", identifiers).result, DmarcResult::Fail);
  NameWorld deep("_dmarc.example.com TXT \"v=DMARC1; p=reject; psd=n\"\n");
  identifiers.dkim.insert(identifiers.dkim.begin(), "x.example.com");
  EXPECT_EQ(deep.verdict("example.com", identifiers).result, DmarcResult::Pass);

  NameWorld greedy("");
  std::vector<std::string> authors;
  for (int i = 0; i < 20; ++i) authors.push_back("1.2.3.4.5.6.7.8.x" + std::to_string(i) + ".ex");
  const auto findings = greedy.discover({authors, {}});
  EXPECT_EQ(greedy.questions(), kMaxQueries);
  EXPECT_EQ(findings.authors.back().policy.error(), Unknown::TooManyQueries);
  const auto verdict = evaluate(findings, {});
  EXPECT_EQ(verdict.result, DmarcResult::PermError);
  EXPECT_EQ(verdict.policy, DmarcPolicy::Reject);
}

/// An identifier that costs too many lookups is not aligned.
TEST(Discovery, TakesWhatItCannotAffordForUnaligned) {
  std::string zone = kReject;
  Identifiers identifiers;
  for (int i = 0; i < 12; ++i) {
    const std::string n = std::to_string(i);
    const std::string organisation = "org" + n + ".example.com";
    zone += "_dmarc." + organisation + " TXT \"v=DMARC1; p=none; psd=n\"\n";
    identifiers.dkim.push_back("1.2.3.4.5." + organisation);
  }
  identifiers.dkim.emplace_back("1.2.3.4.5.6.good.example.com");
  NameWorld world(zone);
  const auto verdict = world.verdict("example.com", identifiers);
  EXPECT_EQ(world.questions(), kMaxQueries);
  EXPECT_EQ(verdict.result, DmarcResult::Fail);
}

/// Anybody on the way can put fields in front that name deep domains of the author.
TEST(Discovery, DeepNamesOfOthersUseUpNothingOfAShallowOne) {
  std::vector<std::string> named;
  for (int i = 0; i < 9; ++i) named.push_back("a.b.c.d" + std::to_string(i) + ".example.com");
  named.emplace_back("mail.example.com");
  NameWorld world(kReject);
  const auto findings = world.discover({{"example.com"}, {.dkim = named}});
  EXPECT_EQ(world.questions(), kMaxQueries);
  EXPECT_EQ(evaluate(findings, {.dkim = {"mail.example.com"}}).result, DmarcResult::Pass);
}

/// Two deep authors use up the questions: whether the second exists is not known, and will not be
/// known later. The stricter of np= and sp= applies.
TEST(Discovery, OurLimitIsNoReasonToPutOff) {
  for (const auto& [tags, policy] :
       {std::pair("p=none; np=reject", DmarcPolicy::Reject),
        std::pair("p=none; sp=quarantine; np=none", DmarcPolicy::Quarantine)}) {
    NameWorld world(std::string("_dmarc.b.example TXT \"v=DMARC1; ") + tags + "\"\n");
    const std::string deep = "1.2.3.4.5.6.7.a.example";
    const std::string other = "1.2.3.4.5.6.7.b.example";
    const auto findings = world.discover({{deep, other, "x.b.example"}, {}});
    EXPECT_EQ(world.questions(), kMaxQueries);
    const AuthorFinding& last = findings.authors.back();
    ASSERT_TRUE(last.policy && *last.policy);
    const auto verdict = evaluate({.authors = {last}, .organisations = {}}, {});
    EXPECT_EQ(verdict.result, DmarcResult::Fail) << verdict.problem;
    EXPECT_EQ(verdict.policy, policy);
  }
}

const OrganisationalDomain kSuffixes;

/// RFC 7489 §3.2: the list instead of the walk.
TEST(PublicSuffixRule, AsksTheAuthorAndItsOrganisation) {
  NameWorld world("_dmarc.example.co.uk TXT \"v=DMARC1; p=none; sp=reject\"\n");
  const auto verdict = world.verdict("a.b.example.co.uk", {.spf = "x.example.co.uk"}, &kSuffixes);
  EXPECT_EQ(verdict.result, DmarcResult::Pass);
  EXPECT_EQ(verdict.policy_domain, "example.co.uk");
  EXPECT_EQ(verdict.policy, DmarcPolicy::Reject);
  EXPECT_THAT(world.walked(), ElementsAre("a.b.example.co.uk", "example.co.uk"));
}

TEST(PublicSuffixRule, JoinsNobodyBelowASuffix) {
  NameWorld world(
      "_dmarc.co.uk         TXT \"v=DMARC1; p=reject\"\n"
      "_dmarc.example.co.uk TXT \"v=DMARC1; p=reject\"\n");
  EXPECT_EQ(world.verdict("example.co.uk", {.spf = "other.co.uk"}, &kSuffixes).result,
            DmarcResult::Fail);
  EXPECT_EQ(world.verdict("nopolicy.co.uk", {}, &kSuffixes).result, DmarcResult::None);
  // The walk finds co.uk's record and takes it for an organisation: that is why psd=y exists.
  EXPECT_EQ(world.verdict("example.co.uk", {.spf = "other.co.uk"}).result, DmarcResult::Pass);
}

/// RFC 7489 §6.3: to no message does p= apply, so the next weaker policy does. Since RFC 9989 there
/// is no such tag.
TEST(PublicSuffixRule, WeakensAPolicyOfNobody) {
  NameWorld world("_dmarc.example.com TXT \"v=DMARC1; p=reject; pct=0\"\n");
  EXPECT_EQ(world.verdict("example.com", {}, &kSuffixes).policy, DmarcPolicy::Quarantine);
  EXPECT_EQ(world.verdict("example.com", {}).policy, DmarcPolicy::Reject);
  NameWorld some("_dmarc.example.com TXT \"v=DMARC1; p=reject; pct=1\"\n");
  EXPECT_EQ(some.verdict("example.com", {}, &kSuffixes).policy, DmarcPolicy::Reject);
}

TEST(PublicSuffixRule, KnowsTemporaryErrors) {
  NameWorld world("_dmarc.example.com SERVFAIL\n");
  EXPECT_EQ(world.verdict("a.example.com", {}, &kSuffixes).result, DmarcResult::TempError);
}

}  // namespace
}  // namespace relay::auth::dmarc
