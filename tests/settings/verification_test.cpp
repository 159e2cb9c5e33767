// [auth], [arc], [rewrite], [risk], [[target]], [bounces], and the keys about DMARC.
#include <gmock/gmock.h>

#include "relay/mail/notice_policy.hpp"
#include "tests/settings/loader_fixture.hpp"

namespace relay::settings {

using forward::DmarcSettings;
using forward::HostedDomain;
using forward::KeepOrSrs;
using forward::OnDmarcFail;
using forward::Quarantine;
using forward::SealWhen;
using mail::NoticesTo;
using mail::PartialFailures;

namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string kSealer =
    "[arc]\ndomain = \"relay.example\"\nselector = \"arc\"\nfile = \"secrets/good\"\n";

class Verification : public LoaderFixture {
 protected:
  /// Settings of a small file and these lines; the test fails when they are not taken.
  std::shared_ptr<const Settings> taken(const std::string& lines) {
    auto loaded = load_text(kHead + lines);
    if (loaded) return loaded->settings;
    ADD_FAILURE() << render(loaded.error().front());
    return std::make_shared<const Settings>();
  }

  /// The one problem that these lines have.
  std::string problem(const std::string& lines) {
    const auto problems = problems_of(kHead + lines);
    if (problems.size() == 1) return problems.front();
    return "there are " + std::to_string(problems.size()) +
           (problems.empty() ? "" : ": " + problems.front() + "\n" + problems.back());
  }
};

TEST_F(Verification, HasDefaultsForEverything) {
  const auto settings = taken("");
  EXPECT_TRUE(settings->auth.verify);
  EXPECT_EQ(settings->auth.authserv_id, "mx.example.org");
  EXPECT_EQ(settings->auth.timeout, seconds(20));
  EXPECT_EQ(settings->auth.organisation, OrganisationRule::TreeWalk);
  EXPECT_FALSE(settings->arc.sealer);
  EXPECT_THAT(settings->arc.trusted_sealers, IsEmpty());
  EXPECT_EQ(settings->defaults.dmarc, DmarcSettings());
  EXPECT_EQ(settings->risk.connections, 2U);
  EXPECT_EQ(settings->risk.rate.count, 600U);
  EXPECT_EQ(settings->risk.rate.span, seconds(60));
  EXPECT_EQ(settings->risk.tag, "X-Spam-Flag: YES");
  EXPECT_EQ(settings->notices.to, NoticesTo::Authenticated);
  EXPECT_EQ(settings->notices.partial, PartialFailures::Sender);
}

TEST_F(Verification, TakesWhatTheFileSays) {
  const auto settings = taken(
      "[auth]\nauthserv_id = \"Relay.Example\"\ntimeout = \"5s\"\norganisation = \"psl\"\n" +
      kSealer +
      "seal = \"always\"\ntrusted_sealers = [\"Google.com\"]\n"
      "[rewrite]\ndomain = \"fwd.example\"\n"
      "[risk]\nsource = [\"192.0.2.11\", \"2001:db8::11\"]\nconnections = 5\nrate = \"10/h\"\n"
      "tag = \"X-Doubt: maybe\"\nsender = \"keep\"\n"
      "[[target]]\nmatch = \"Gmail.com\"\narc = \"never\"\n[[target]]\nmatch = \"*\"\nsender = "
      "\"keep\"\n"
      "[bounces]\nto = \"anyone\"\n");
  EXPECT_EQ(settings->auth.authserv_id, "relay.example");
  EXPECT_EQ(settings->auth.timeout, seconds(5));
  EXPECT_EQ(settings->auth.organisation, OrganisationRule::SuffixList);
  EXPECT_EQ(settings->arc.sealer->selector, "arc");
  EXPECT_FALSE(settings->arc.sealer->key.empty());
  EXPECT_EQ(settings->arc.seal, SealWhen::Always);
  EXPECT_EQ(settings->arc.trusted_sealers, std::vector<std::string>{"google.com"});
  EXPECT_EQ(settings->rewrite_domain->folded(), "fwd.example");
  EXPECT_THAT(settings->risk.source, SizeIs(2));
  EXPECT_EQ(settings->risk.rate.count, 10U);
  EXPECT_EQ(settings->risk.rate.span, seconds(3600));
  EXPECT_EQ(settings->risk.sender, KeepOrSrs::Keep);
  EXPECT_EQ(settings->targets.at(0).match, "gmail.com");
  EXPECT_EQ(settings->targets.at(0).arc, SealWhen::Never);
  EXPECT_FALSE(settings->targets.at(1).arc);
  EXPECT_EQ(settings->notices.to, NoticesTo::Anyone);
}

TEST_F(Verification, AliasesOverrideDomainsAndDomainsTheDefaults) {
  const auto settings = load_text(
      "hostname = \"mx.example.org\"\n[defaults]\nquarantine = \"tag\"\n"
      "postmaster = \"me@mail.example\"\n[[domain]]\nname = \"example.org\"\n"
      "on_dmarc_fail = \"hold\"\n[domain.alias]\n"
      "\"a\" = { to = \"me@mail.example\", on_dmarc_fail = \"forward\" }\n\"b\" = "
      "\"me@mail.example\"\n");
  ASSERT_TRUE(settings) << render(settings.error().front());
  const HostedDomain& domain = settings->settings->domains.front();
  const DmarcSettings outer = domain.dmarc.over(settings->settings->defaults.dmarc);
  EXPECT_EQ(outer.on_dmarc_fail, OnDmarcFail::Hold);
  EXPECT_EQ(outer.quarantine, Quarantine::Tag);
  EXPECT_EQ(domain.aliases.at(0).dmarc.over(outer).on_dmarc_fail, OnDmarcFail::Forward);
  EXPECT_EQ(domain.aliases.at(0).dmarc.over(outer).quarantine, Quarantine::Tag);
  EXPECT_EQ(domain.aliases.at(1).dmarc.over(outer).on_dmarc_fail, OnDmarcFail::Hold);
}

TEST_F(Verification, ReportsEachMistakeWithItsPlace) {
  const std::vector<std::pair<std::string, std::string>> table{
      {"[auth]\nverfy = true\n", "did you mean `verify`?"},
      {"[auth]\nverify = \"yes\"\n", "true or false"},
      {"[auth]\ntimeout = 20\n", "a duration in quotes"},
      {"[auth]\norganisation = \"tree\"\n", "takes tree-walk, psl"},
      {"[auth]\nauthserv_id = \"a b\"\n", "not a domain name"},
      {"[arc]\ntrusted_sealers = [\"google\"]\n", "not a domain name: \"google\""},
      {"[arc]\nselector = \"s\"\nfile = \"secrets/good\"\n", "names the sealing domain"},
      {"[arc]\ndomain = \"a.example\"\nselector = \"s s\"\nfile = \"secrets/good\"\n",
       "not a selector"},
      {"[arc]\ndomain = \"a.example\"\nselector = \"s\"\n", "one of file, env or credential"},
      {"[arc]\ndomain = \"a.example\"\nselector = \"s\"\nfile = \"secrets/open\"\n", "error[E004]"},
      {kSealer + "seal = \"useful\"\n", "takes always, when-useful, never"},
      {"[rewrite]\n", "names the domain that stands in From"},
      {"[risk]\nsource = \"x\"\n", "not an IP address"},
      {"[risk]\nsource = [\"192.0.2.1\", \"192.0.2.2\"]\n", "at most one address of each family"},
      {"[risk]\nrate = \"60\"\n", "expected a rate"},
      {"[risk]\nrate = \"0/min\"\n", "must be greater than zero"},
      {"[risk]\nrate = \"-1/min\"\n", "expected a rate"},
      {"[risk]\nrate = \"1/week\"\n", "expected a rate"},
      {"[risk]\nconnections = 0\n", "between 1 and 1000"},
      {"[risk]\nsender = \"\"\n", "takes srs, keep, not \"\""},
      {"[risk]\ntag = \"no field\"\n", "expected a header field"},
      {"[risk]\ntag = \"X-A: b\\r\\nBcc: c@d.example\"\n", "expected a header field"},
      {"[risk]\ntag = \"X-A:\"\n", "expected a header field"},
      {"[risk]\ntag = \"Subject: spam\"\n", "would change what the message says"},
      {"[risk]\ntag = \"dkim-signature: x\"\n", "would change what the message says"},
      {"[risk]\ntag = \"ARC-Seal: x\"\n", "would change what the message says"},
      {"[[target]]\nmatch = \"a b\"\n", "a domain, \"*.domain\" or \"*\""},
      {"[[target]]\nmatch = \"*\"\n[[target]]\nmatch = \"*\"\n", "stands above"},
      {"[[target]]\nmatch = \"*\"\narc = \"always\"\n", "sealing needs a key in [arc]"},
      {"[[target]]\nmatch = \"*\"\nsender = \"srss\"\n", "did you mean \"srs\"?"},
      {"[bounces]\nto = \"nobody\"\n", "takes authenticated, anyone"},
      {"[bounces]\npartial = \"nobody\"\n", "takes sender, postmaster, none"},
      {"[bounces]\npartial = \"postmaster\"\n", "needs [defaults] postmaster"},
      {"[defaults]\npostmaster = \"a@b.example\"\non_dmarc_fail = \"reject\"\n",
       "takes policy, forward, hold"},
      {"[defaults]\npostmaster = \"a@b.example\"\nquarantine = \"\"\n", "takes risk-pool, tag"},
      {"\"x\" = { to = \"a@b.example\", rewrite_from = \"always\" }\n", "takes never, when-needed"},
  };
  for (const auto& [lines, says] : table) {
    const std::string told = problem(lines);
    EXPECT_THAT(told, HasSubstr(says)) << lines;
    EXPECT_THAT(told, HasSubstr("relay.toml:")) << lines;
  }
}

/// A configuration that would lend the name of a hosted domain to rewritten mail is refused.
TEST_F(Verification, RewrittenMailNeverSpeaksForAHostedDomain) {
  for (const char* name : {"example.org", "fwd.example.org", "org"}) {
    EXPECT_THAT(problem(std::string("[rewrite]\ndomain = \"") + name + "\"\n"),
                HasSubstr("is aligned with example.org, which is forwarded"))
        << name;
  }
  EXPECT_THAT(problem("\"x\" = { to = \"a@b.example\", rewrite_from = \"when-needed\" }\n"),
              HasSubstr("needs [rewrite] domain"));
  EXPECT_EQ(taken("[rewrite]\ndomain = \"notexample.org\"\n")->rewrite_domain->folded(),
            "notexample.org");
}

// Without verdicts no failure could be reported, so the loader asks for a decision.
TEST_F(Verification, AsksWhoHearsOfFailuresWhenNobodyIsVerified) {
  EXPECT_THAT(problem("[auth]\nverify = false\n"), HasSubstr("say bounces.to = \"anyone\""));
  EXPECT_THAT(problem("[auth]\nverify = false\n[bounces]\nto = \"authenticated\"\n"),
              HasSubstr("nobody would hear of a failure"));
  EXPECT_EQ(taken("[auth]\nverify = false\n[bounces]\nto = \"anyone\"\n")->notices.to,
            NoticesTo::Anyone);
}

/// The reader of partial failures must be configured.
TEST_F(Verification, AsksForThePostmasterWhoHearsOfPartialFailures) {
  const std::string none = problem("[bounces]\nto = \"anyone\"\npartial = \"postmaster\"\n");
  EXPECT_THAT(none, testing::StartsWith("relay.toml:8:11: error"));
  const std::string postmaster = "[defaults]\npostmaster = \"ops@mail.example\"\n";
  EXPECT_EQ(taken("[bounces]\npartial = \"postmaster\"\n" + postmaster)->notices.partial,
            PartialFailures::Postmaster);
  EXPECT_EQ(taken("[bounces]\npartial = \"none\"\n")->notices.partial, PartialFailures::Nobody);
}

TEST_F(Verification, WarnsWhenNothingIsKnownThatCouldBeSealed) {
  const auto loaded =
      load_text(kHead + "[auth]\nverify = false\n[bounces]\nto = \"anyone\"\n" + kSealer);
  ASSERT_TRUE(loaded);
  std::string warnings;
  for (const Problem& one : loaded->warnings) warnings += render(one) + '\n';
  EXPECT_THAT(warnings, HasSubstr("nothing is known that [arc] could seal"));
}

}  // namespace
}  // namespace relay::settings
