// Which identifiers are aligned, and the policy if none is.
#include "relay/auth/dmarc/evaluation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay::auth::dmarc {
namespace {

using mail::DkimResult;
using mail::DmarcPolicy;
using mail::DmarcResult;
using mail::SpfResult;
using testing::ElementsAre;
using testing::IsEmpty;

const Organisations kOrganisations{{"example.com", "example.com"},
                                   {"mail.example.com", "example.com"},
                                   {"apart.example.com", "apart.example.com"},
                                   {"a.apart.example.com", "apart.example.com"},
                                   {"later.example.com", std::unexpected(Unknown::TemporaryError)},
                                   {"dear.example.com", std::unexpected(Unknown::TooManyQueries)},
                                   {"example.org", std::unexpected(Unknown::TemporaryError)}};

struct AlignmentCase {
  const char* name;
  std::string author;
  std::string identifier;
  Alignment relaxed;
  Alignment strict;
};

void PrintTo(const AlignmentCase& one, std::ostream* out) { *out << one.name; }

class Aligned : public testing::TestWithParam<AlignmentCase> {};

TEST_P(Aligned, FollowsTheMode) {
  const auto& [name, author, identifier, relaxed, strict] = GetParam();
  EXPECT_EQ(alignment(author, identifier, AlignmentMode::Relaxed, kOrganisations), relaxed);
  EXPECT_EQ(alignment(author, identifier, AlignmentMode::Strict, kOrganisations), strict);
}

constexpr auto kNo = Alignment::No;
constexpr auto kYes = Alignment::Yes;
constexpr auto kUnknown = Alignment::Unknown;

INSTANTIATE_TEST_SUITE_P(
    Cases, Aligned,
    testing::Values(
        AlignmentCase{"Equal", "example.com", "example.com", kYes, kYes},
        AlignmentCase{"Child", "example.com", "mail.example.com", kYes, kNo},
        AlignmentCase{"Parent", "mail.example.com", "example.com", kYes, kNo},
        AlignmentCase{"Nobody", "example.com", "", kNo, kNo},
        AlignmentCase{"Stranger", "example.com", "attack.com", kNo, kNo},
        AlignmentCase{"LooksAlike", "example.com", "badexample.com", kNo, kNo},
        AlignmentCase{"SuffixOfIt", "example.com", "com", kNo, kNo},
        AlignmentCase{"Appended", "example.com", "example.com.attack.com", kNo, kNo},
        AlignmentCase{"OwnOrganisation", "example.com", "apart.example.com", kNo, kNo},
        AlignmentCase{"OutOfItsOrganisation", "a.apart.example.com", "example.com", kNo, kNo},
        AlignmentCase{"WithinItsOrganisation", "a.apart.example.com", "apart.example.com", kYes,
                      kNo},
        AlignmentCase{"NotNow", "example.com", "later.example.com", kUnknown, kNo},
        AlignmentCase{"TooDear", "example.com", "dear.example.com", kNo, kNo},
        AlignmentCase{"NotLookedUp", "example.com", "new.example.com", kUnknown, kNo},
        AlignmentCase{"AuthorNotNow", "example.org", "mail.example.org", kUnknown, kNo},
        AlignmentCase{"AuthorNotNowButEqual", "example.org", "example.org", kYes, kYes},
        AlignmentCase{"AuthorNotNowButElsewhere", "example.org", "attack.com", kNo, kNo}),
    [](const auto& info) { return std::string(info.param.name); });

mail::DkimVerdict signature(DkimResult result, std::string domain) {
  return {.result = result, .domain = std::move(domain)};
}

TEST(Identifiers, AreOnlyWhatPassed) {
  for (const SpfResult result : {SpfResult::None, SpfResult::Neutral, SpfResult::Fail,
                                 SpfResult::SoftFail, SpfResult::TempError, SpfResult::PermError}) {
    mail::Authentication found;
    found.mail_from = {.result = result, .domain = "example.com"};
    EXPECT_EQ(identifiers_of(found, false).spf, "") << name_of(result);
  }
  // Policy is a signature that covers a part of the body.
  for (const DkimResult result :
       {DkimResult::None, DkimResult::Fail, DkimResult::Policy, DkimResult::Neutral,
        DkimResult::TempError, DkimResult::PermError}) {
    mail::Authentication found;
    found.dkim = {signature(result, "example.com")};
    EXPECT_THAT(identifiers_of(found, false).dkim, IsEmpty()) << name_of(result);
  }
  mail::Authentication found;
  found.mail_from = {.result = SpfResult::Pass, .domain = "Example.com"};
  found.dkim = {signature(DkimResult::Fail, "example.com"),
                signature(DkimResult::Pass, "b.example"), signature(DkimResult::Pass, "a.example"),
                signature(DkimResult::Pass, "B.example")};
  EXPECT_EQ(identifiers_of(found, false).spf, "example.com");
  EXPECT_THAT(identifiers_of(found, false).dkim, ElementsAre("b.example", "a.example"));
}

/// RFC 6376 §3.6.1: not to be treated differently from unsigned mail.
TEST(Identifiers, AreNotVouchedForByAKeyInTesting) {
  mail::Authentication found;
  found.dkim = {signature(DkimResult::Pass, "example.com")};
  found.dkim.front().testing = true;
  EXPECT_THAT(identifiers_of(found, false).dkim, IsEmpty());
  EXPECT_THAT(identifiers_of(found, false).reserved_dkim, ElementsAre("example.com"));
  found.dkim.front().result = DkimResult::Fail;
  EXPECT_THAT(identifiers_of(found, false).reserved_dkim, IsEmpty());
}

TEST(Identifiers, AreNotVouchedForByASignatureDatedAhead) {
  mail::Authentication found;
  found.dkim = {signature(DkimResult::Pass, "example.com")};
  found.dkim.front().dated_ahead = true;
  EXPECT_THAT(identifiers_of(found, false).dkim, IsEmpty());
  EXPECT_THAT(identifiers_of(found, false).reserved_dkim, ElementsAre("example.com"));
}

/// As a client writes it after EHLO.
TEST(Identifiers, AreDomainsFolded) {
  EXPECT_EQ(as_identifier("MX.Example.COM"), "mx.example.com");
  EXPECT_EQ(as_identifier("[192.0.2.1]"), "");
  EXPECT_EQ(as_identifier("not a name"), "");
}

/// A HELO name that passes does not stand for the sender (CVE-2019-20790).
TEST(Identifiers, TakeHeloOnlyWithoutASender) {
  mail::Authentication found;
  found.helo.result = SpfResult::Pass;
  found.helo.domain = "example.com";
  found.mail_from = {.result = SpfResult::None, .domain = "attack.com"};
  EXPECT_EQ(identifiers_of(found, false).spf, "");
  EXPECT_EQ(identifiers_of(found, true).spf, "example.com");
  found.helo.result = SpfResult::Fail;
  found.mail_from = {.result = SpfResult::Pass, .domain = "attack.com"};
  EXPECT_EQ(identifiers_of(found, false).spf, "attack.com");
  EXPECT_EQ(identifiers_of(found, true).spf, "");
}

/// "Composition Kills" A3, A4: what one reader ends at the NUL, the quote or the parenthesis.
TEST(Identifiers, AreNamesOfDomains) {
  using namespace std::string_literals;
  mail::Authentication found;
  for (const std::string& domain :
       {"example.com\0.attack.com"s, "example.com(.attack.com"s, "example.com'a.attack.com"s,
        "example.com."s, ".example.com"s, "example..com"s, "[192.0.2.1]"s, " example.com"s, ""s}) {
    found.mail_from = {.result = SpfResult::Pass, .domain = domain};
    found.dkim = {signature(DkimResult::Pass, domain)};
    EXPECT_EQ(identifiers_of(found, false).spf, "") << domain;
    EXPECT_THAT(identifiers_of(found, false).dkim, IsEmpty()) << domain;
  }
}

Findings one_author(const std::string& author, const std::string& at, const std::string& record,
                    Existence existence = Existence::Exists) {
  Findings findings;
  findings.authors.push_back({author, Policy{*parse_record(record), at, existence}});
  findings.organisations = kOrganisations;
  return findings;
}

struct PolicyCase {
  const char* name;
  std::string record;
  DmarcPolicy itself;
  DmarcPolicy subdomain;
  DmarcPolicy missing;
};

void PrintTo(const PolicyCase& one, std::ostream* out) { *out << one.name; }

class Requested : public testing::TestWithParam<PolicyCase> {};

TEST_P(Requested, DependsOnWhereTheAuthorStands) {
  const auto& [name, tags, itself, subdomain, missing] = GetParam();
  const std::string record = "v=DMARC1; " + tags;
  const auto asked = [&](const std::string& author, Existence existence) {
    const auto verdict = evaluate(one_author(author, "example.com", record, existence), {});
    EXPECT_EQ(verdict.result, DmarcResult::Fail);
    EXPECT_EQ(verdict.policy_domain, "example.com");
    return verdict.policy;
  };
  EXPECT_EQ(asked("example.com", Existence::Exists), itself);
  EXPECT_EQ(asked("mail.example.com", Existence::Exists), subdomain);
  EXPECT_EQ(asked("mail.example.com", Existence::Missing), missing);
}

constexpr auto kNone = DmarcPolicy::None;
constexpr auto kQuarantine = DmarcPolicy::Quarantine;
constexpr auto kReject = DmarcPolicy::Reject;

INSTANTIATE_TEST_SUITE_P(
    Cases, Requested,
    testing::Values(
        PolicyCase{"None", "p=none", kNone, kNone, kNone},
        PolicyCase{"One", "p=reject", kReject, kReject, kReject},
        PolicyCase{"Subdomains", "p=none; sp=reject", kNone, kReject, kReject},
        PolicyCase{"NonExistent", "p=none; np=reject", kNone, kNone, kReject},
        PolicyCase{"All", "p=reject; sp=none; np=quarantine", kReject, kNone, kQuarantine},
        PolicyCase{"WeakerBelow", "p=reject; sp=none", kReject, kNone, kNone},
        PolicyCase{"Testing", "p=reject; sp=quarantine; np=none; t=y", kQuarantine, kNone, kNone},
        PolicyCase{"TestingAll", "p=reject; t=y", kQuarantine, kQuarantine, kQuarantine},
        PolicyCase{"NotTesting", "p=reject; t=n", kReject, kReject, kReject},
        PolicyCase{"PctIsIgnored", "p=reject; pct=0", kReject, kReject, kReject},
        PolicyCase{"Suffix", "p=none; np=reject; psd=y", kNone, kNone, kReject}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Evaluation, SaysWhoIsAligned) {
  const auto findings = one_author("example.com", "example.com", "v=DMARC1; p=reject; aspf=s");
  const auto verdict =
      evaluate(findings, {.spf = "mail.example.com", .dkim = {"attack.com", "mail.example.com"}});
  EXPECT_EQ(verdict.result, DmarcResult::Pass);
  EXPECT_FALSE(verdict.spf_aligned);
  EXPECT_TRUE(verdict.dkim_aligned);
  EXPECT_TRUE(verdict.spf_strict);
  EXPECT_EQ(verdict.from_domain, "example.com");
  EXPECT_EQ(verdict.policy, kReject);
  EXPECT_EQ(verdict.problem, "");
}

/// RFC 6376 §3.6.1: no pass by it; but that it is aligned is known, by the author's own rules.
TEST(Evaluation, TellsAKeyInTestingApart) {
  const auto verdict = [](const char* tags, std::vector<std::string> testing) {
    return evaluate(one_author("example.com", "example.com", std::string("v=DMARC1; ") + tags),
                    {.reserved_dkim = std::move(testing)});
  };
  const auto own = verdict("p=reject", {"attack.com", "mail.example.com"});
  EXPECT_EQ(own.result, DmarcResult::Fail);
  EXPECT_FALSE(own.dkim_aligned);
  EXPECT_TRUE(own.reserved_aligned);
  EXPECT_EQ(own.problem, "the aligned signature has a key in testing, or is dated ahead");
  EXPECT_FALSE(verdict("p=reject; adkim=s", {"mail.example.com"}).reserved_aligned);
  EXPECT_FALSE(verdict("p=reject", {"attack.com"}).reserved_aligned);
  // Whether the policy applies depends on an answer that DNS cannot give for now.
  EXPECT_EQ(verdict("p=reject", {"later.example.com"}).result, DmarcResult::TempError);
  EXPECT_EQ(verdict("p=none", {"later.example.com"}).result, DmarcResult::Fail);
  auto two = one_author("example.com", "example.com", "v=DMARC1; p=reject");
  two.authors.push_back({"attack.com", std::nullopt});
  EXPECT_FALSE(evaluate(two, {.reserved_dkim = {"example.com"}}).reserved_aligned)
      << "of one author, not of the other";
}

/// Negative control: a pass for another domain is none for the author.
TEST(Evaluation, FailsWhateverPassesElsewhere) {
  const auto findings = one_author("example.com", "example.com", "v=DMARC1; p=reject");
  const auto verdict =
      evaluate(findings, {.spf = "attack.com", .dkim = {"attack.com", "apart.example.com"}});
  EXPECT_EQ(verdict.result, DmarcResult::Fail);
  EXPECT_FALSE(verdict.spf_aligned);
  EXPECT_FALSE(verdict.dkim_aligned);
  EXPECT_EQ(verdict.problem, "nothing that passed is aligned");
  // … and would pass, were it the author's own.
  EXPECT_EQ(evaluate(findings, {.spf = "example.com"}).result, DmarcResult::Pass);
}

TEST(Evaluation, IsNoneWithoutAPolicyOrWithAVoidOne) {
  Findings findings;
  findings.authors.push_back({"example.com", std::nullopt});
  const auto nothing = evaluate(findings, {.spf = "example.com"});
  EXPECT_EQ(nothing.result, DmarcResult::None);
  EXPECT_EQ(nothing.policy, kNone);
  EXPECT_EQ(nothing.policy_domain, "");
  EXPECT_EQ(nothing.from_domain, "example.com");
  const auto unusable = one_author("example.com", "example.com", "v=DMARC1; p=x");
  EXPECT_EQ(evaluate(unusable, {}).result, DmarcResult::None);
}

/// Nobody's policy is applied, and yet it is said why nothing is proven.
TEST(Evaluation, TellsWithoutAPolicyWhatOurLimitLeftUnfinished) {
  Findings findings;
  findings.authors.push_back({"example.com", std::nullopt});
  const auto own = evaluate(findings, {.unfinished_spf = "example.com"});
  EXPECT_EQ(own.result, DmarcResult::None);
  EXPECT_TRUE(own.unfinished);
  EXPECT_EQ(own.problem, "SPF of the author's domain asks for more lookups than anybody gets");
  EXPECT_FALSE(evaluate(findings, {.unfinished_spf = "other.com"}).unfinished);
}

TEST(Evaluation, IsTheWorstOfSeveralAuthors) {
  const auto finding = [](const std::string& author, const char* policy) {
    return AuthorFinding{
        author, Policy{*parse_record(std::string("v=DMARC1; aspf=s; p=") + policy), author}};
  };
  const AuthorFinding none{"none.example", std::nullopt};
  const AuthorFinding later{"later.example", std::unexpected(Unknown::TemporaryError)};
  const auto passing = finding("pass.example", "reject");
  const Identifiers identifiers{.spf = "pass.example"};
  const auto worst = [&](std::vector<AuthorFinding> authors) {
    return evaluate({std::move(authors), {}}, identifiers);
  };
  EXPECT_EQ(worst({passing, passing}).result, DmarcResult::Pass);
  EXPECT_EQ(worst({passing, none}).result, DmarcResult::None);
  EXPECT_EQ(worst({none, finding("a.example", "none"), passing}).result, DmarcResult::Fail);
  EXPECT_EQ(worst({finding("a.example", "none"), finding("b.example", "quarantine")}).policy,
            kQuarantine);
  EXPECT_EQ(worst({finding("a.example", "quarantine"), later}).result, DmarcResult::TempError);
  const auto rejected = worst({passing, later, finding("victim.example", "reject"), none});
  EXPECT_EQ(rejected.result, DmarcResult::Fail);
  EXPECT_EQ(rejected.policy, kReject);
  EXPECT_EQ(rejected.policy_domain, "victim.example");
  EXPECT_EQ(rejected.from_domain, "") << "there is not exactly one";
  EXPECT_FALSE(rejected.spf_aligned);
}

/// An author whose own record uses up our lookups is no shelter for the name of another one.
TEST(Evaluation, AnUnfinishedAuthorHidesNoOther) {
  const auto finding = [](const std::string& author, const char* policy) {
    return AuthorFinding{
        author, Policy{*parse_record(std::string("v=DMARC1; aspf=s; p=") + policy), author}};
  };
  const auto vast = finding("vast.example", "reject");
  for (const char* policy : {"reject", "quarantine"}) {
    const auto victim = finding("victim.example", policy);
    for (const auto& authors :
         {std::vector<AuthorFinding>{vast, victim}, std::vector<AuthorFinding>{victim, vast}}) {
      const auto verdict = evaluate({authors, {}}, {.unfinished_spf = "vast.example"});
      EXPECT_EQ(verdict.result, DmarcResult::Fail);
      EXPECT_FALSE(verdict.unfinished) << policy;
      EXPECT_EQ(verdict.policy_domain, "victim.example") << policy;
    }
  }
}

/// While the DNS is down, mail that an honest signer's key would prove is put off, not refused.
TEST(Evaluation, WaitsForWhatMayStillPass) {
  const auto verdict = [](const char* policy, const Identifiers& identifiers) {
    const auto record = *parse_record(std::string("v=DMARC1; aspf=s; p=") + policy);
    return evaluate({{AuthorFinding{"author.example", Policy{record, "author.example"}}}, {}},
                    identifiers)
        .result;
  };
  for (const char* policy : {"reject", "quarantine"}) {
    EXPECT_EQ(verdict(policy, {.later_spf = "author.example"}), DmarcResult::TempError);
    EXPECT_EQ(verdict(policy, {.later_dkim = {"a.example", "author.example"}}),
              DmarcResult::TempError);
    EXPECT_EQ(verdict(policy, {.dkim = {"author.example"}, .later_spf = "author.example"}),
              DmarcResult::Pass);
    EXPECT_EQ(verdict(policy, {.later_spf = "a.example", .later_dkim = {"a.test"}}),
              DmarcResult::Fail)
        << "whatever they turn out to be, they are not aligned";
  }
  EXPECT_EQ(verdict("none", {.later_dkim = {"author.example"}}), DmarcResult::Fail)
      << "nothing depends on it";
}

TEST(Identifiers, MayComeLater) {
  mail::Authentication found;
  found.mail_from = {.result = SpfResult::TempError, .domain = "Example.com"};
  found.dkim = {signature(DkimResult::TempError, "a.example"),
                signature(DkimResult::Pass, "b.example")};
  EXPECT_EQ(identifiers_of(found, false).later_spf, "example.com");
  EXPECT_THAT(identifiers_of(found, false).later_dkim, ElementsAre("a.example"));
  EXPECT_EQ(identifiers_of(found, true).later_spf, "");
}

/// The strictest, for every reason there is.
TEST(Evaluation, RejectsWhenTheAuthorCannotBeTold) {
  using Problem = mail::AuthorProblem;
  for (const Problem problem :
       {Problem::NoField, Problem::SeveralFields, Problem::UnreadableHeader,
        Problem::UnreadableField, Problem::NoDomain, Problem::TooManyDomains}) {
    const auto verdict = verdict_on(problem);
    EXPECT_EQ(verdict.result, DmarcResult::PermError);
    EXPECT_EQ(verdict.policy, kReject);
    EXPECT_EQ(verdict.problem, mail::describe(problem));
  }
  EXPECT_EQ(evaluate({}, {}).result, DmarcResult::PermError);
}

}  // namespace
}  // namespace relay::auth::dmarc
