#include "relay/auth/spf/check.hpp"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/auth/spf/run_check.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/fakes/instant_resolver.hpp"

namespace relay::auth::spf {
namespace {

using boost::asio::ip::make_address;
using mail::SpfIdentity;
using mail::SpfResult;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

/// A zone, and questions about a sender in it.
class SpfCheck : public testing::Test {
 protected:
  Evaluation ask(const std::string& zone, Query query = {}) {
    resolver_.replace_zone(zone);
    if (query.client.is_unspecified()) query.client = make_address("192.0.2.1");
    if (query.helo.empty()) query.helo = "mx.example.org";
    if (!query.mail_from && query.identity == SpfIdentity::MailFrom) {
      query.mail_from = sender("ann@example.org");
    }
    return run_check(resolver_, std::move(query));
  }

  SpfResult result_of(const std::string& zone, Query query = {}) {
    return ask(zone, std::move(query)).verdict.result;
  }

  fakes::FakeClock clock_;
  fakes::FakeResolver resolver_{clock_, ""};
};

/// Lines from a pattern with {} for 0 … count - 1.
std::string repeated(int count, const std::string& pattern) {
  std::string lines;
  for (int i = 0; i < count; ++i) lines += fmt::format(fmt::runtime(pattern), i);
  return lines;
}

TEST_F(SpfCheck, NamesTheDirectiveThatMatched) {
  const auto verdict =
      ask("example.org TXT \"v=spf1 ip4:198.51.100.1 ip4:192.0.2.0/24 -all\"").verdict;
  EXPECT_EQ(verdict.result, SpfResult::Pass);
  EXPECT_EQ(verdict.mechanism, "ip4:192.0.2.0/24");
  EXPECT_EQ(verdict.domain, "example.org");
  EXPECT_EQ(verdict.problem, "");
}

TEST_F(SpfCheck, NamesTheIncludeAndNotWhatIsInIt) {
  const auto verdict = ask("example.org TXT \"v=spf1 ?include:a.example -all\"\n"
                           "a.example TXT \"v=spf1 ip4:192.0.2.1 -all\"")
                           .verdict;
  EXPECT_EQ(verdict.result, SpfResult::Neutral);
  EXPECT_EQ(verdict.mechanism, "?include:a.example");
}

TEST_F(SpfCheck, IsNeutralWithoutAMatchAndNamesNothing) {
  const auto verdict = ask("example.org TXT \"v=spf1 ip4:198.51.100.1\"").verdict;
  EXPECT_EQ(verdict.result, SpfResult::Neutral);
  EXPECT_EQ(verdict.mechanism, "");
}

// RFC 7208 §4.3.
TEST_F(SpfCheck, HasNothingToAskAboutADomainThatIsNone) {
  const std::string label(64, 'x');
  for (const std::string& domain :
       {std::string("example"), std::string("[192.0.2.1]"), std::string("[x.y.z]"),
        std::string("a..example.org"), std::string(".example.org"), label + ".example.org",
        std::string("example.org..")}) {
    const auto before = resolver_.calls().size();
    EXPECT_EQ(result_of("", {.mail_from = Sender{"ann", domain}}), SpfResult::None) << domain;
    EXPECT_EQ(resolver_.calls().size(), before) << domain;
  }
  EXPECT_EQ(
      result_of("example.org TXT \"v=spf1 -all\"", {.mail_from = Sender{"a", "Example.ORG."}}),
      SpfResult::Fail);
}

TEST_F(SpfCheck, TellsNoRecordFromTwo) {
  EXPECT_EQ(result_of("example.org TXT \"hello\""), SpfResult::None);
  EXPECT_EQ(result_of("example.org EXISTS"), SpfResult::None);
  EXPECT_EQ(result_of(""), SpfResult::None);
  EXPECT_EQ(result_of("example.org TXT \"v=spf1 +all\"\nexample.org TXT \"v=spf1 a\""),
            SpfResult::PermError);
}

// No answer is not the answer "no record".
TEST_F(SpfCheck, TakesTroubleInTheDnsForTemporaryWhereverItComes) {
  for (const char* trouble : {"SERVFAIL", "BOGUS", "MALFORMED"}) {
    const std::string broken = std::string("broken.example ") + trouble + "\n";
    EXPECT_EQ(result_of(std::string("example.org ") + trouble), SpfResult::TempError);
    for (const char* term : {"include:broken.example", "a:broken.example", "mx:broken.example",
                             "exists:broken.example", "redirect=broken.example"}) {
      const auto verdict = ask(broken + "example.org TXT \"v=spf1 " + term + "\"").verdict;
      EXPECT_EQ(verdict.result, SpfResult::TempError) << trouble << " " << term;
      EXPECT_THAT(verdict.problem, HasSubstr("\"broken.example\""));
    }
  }
}

// RFC 7208 §5.5: only here trouble is no match.
TEST_F(SpfCheck, SkipsTroubleWithTheNamesOfAClient) {
  EXPECT_EQ(result_of("192.0.2.1 SERVFAIL\nexample.org TXT \"v=spf1 ptr -all\""), SpfResult::Fail);
  EXPECT_EQ(result_of("192.0.2.1 PTR bad.example.org\n192.0.2.1 PTR good.example.org\n"
                      "bad.example.org SERVFAIL\ngood.example.org A 192.0.2.1\n"
                      "example.org TXT \"v=spf1 ptr -all\""),
            SpfResult::Pass);
}

// The wait for one answer may end before that for all of them: no reverse zone of a client's that
// is silent keeps a domain from its result.
TEST_F(SpfCheck, SkipsNamesOfAClientThatTakeTooLongWhileThereIsTime) {
  fakes::InstantResolver resolver;
  resolver.add_txt("example.org", "v=spf1 ptr -all");
  resolver.time_out("1.2.0.192.in-addr.arpa");
  const Query query{.client = make_address("192.0.2.1"), .mail_from = sender("ann@example.org")};
  EXPECT_EQ(run_check(resolver, query).verdict.result, SpfResult::Fail);
}

TEST_F(SpfCheck, ComparesNamesOfAClientByWholeLabels) {
  const std::string zone = "192.0.2.1 PTR mx.badexample.org\nmx.badexample.org A 192.0.2.1\n";
  EXPECT_EQ(result_of(zone + "example.org TXT \"v=spf1 ptr -all\""), SpfResult::Fail);
  EXPECT_EQ(result_of(zone + "example.org TXT \"v=spf1 ptr:BADexample.org. -all\""),
            SpfResult::Pass);
}

TEST_F(SpfCheck, TreatsAMappedClientAsIpv4) {
  EXPECT_EQ(result_of("example.org TXT \"v=spf1 ip4:192.0.2.1 -all\"",
                      {.client = make_address("::ffff:192.0.2.1")}),
            SpfResult::Pass);
  EXPECT_EQ(result_of("example.org TXT \"v=spf1 ip6:::ffff:192.0.2.1 -all\"",
                      {.client = make_address("::ffff:192.0.2.1")}),
            SpfResult::Fail);
}

TEST_F(SpfCheck, AsksForAddressesOfTheClientsFamily) {
  const std::string zone =
      "example.org TXT \"v=spf1 a//64 -all\"\nexample.org A 192.0.2.1\n"
      "example.org AAAA 2001:db8::1\n";
  EXPECT_EQ(result_of(zone, {.client = make_address("2001:db8::2")}), SpfResult::Pass);
  EXPECT_EQ(resolver_.calls().back(), "aaaa example.org");
  EXPECT_EQ(result_of(zone, {.client = make_address("192.0.2.2")}), SpfResult::Fail);
  EXPECT_EQ(resolver_.calls().back(), "a example.org");
}

// §5.7: A, whatever the client.
TEST_F(SpfCheck, ChecksExistenceByARecordsAlone) {
  const std::string zone = "example.org TXT \"v=spf1 exists:%{l}.example.org -all\"\n";
  const Query six{.client = make_address("2001:db8::1")};
  EXPECT_EQ(result_of(zone + "ann.example.org A 127.0.0.2", six), SpfResult::Pass);
  EXPECT_EQ(result_of(zone + "ann.example.org AAAA ::1", six), SpfResult::Fail);
}

// RFC 7505 with §5: an empty answer, yet no name that does not exist.
TEST_F(SpfCheck, TakesANullMxForNoHostsAndNoVoid) {
  const auto evaluation = ask("example.org MX 0 .\nexample.org TXT \"v=spf1 mx mx mx mx -all\"");
  EXPECT_EQ(evaluation.verdict.result, SpfResult::Fail);
  EXPECT_EQ(evaluation.voids, 0U);
}

// The null sender is asked by its HELO name, and the verdict says so (CVE-2019-20790).
TEST_F(SpfCheck, AsksHeloForTheNullSender) {
  Query query{.client = make_address("192.0.2.1"), .helo = "MX.example.net"};
  resolver_.replace_zone(
      "mx.example.net TXT \"v=spf1 exists:%{l}.%{o} -all\"\n"
      "postmaster.mx.example.net A 127.0.0.2\n"
      "example.org TXT \"v=spf1 -all\"");
  const auto null_sender = run_check(resolver_, query).verdict;
  EXPECT_EQ(null_sender.result, SpfResult::Pass);
  EXPECT_EQ(null_sender.identity, SpfIdentity::Helo);
  EXPECT_EQ(null_sender.domain, "mx.example.net");

  query.mail_from = sender("ann@example.org");
  const auto mail_from = run_check(resolver_, query).verdict;
  EXPECT_EQ(mail_from.result, SpfResult::Fail);
  EXPECT_EQ(mail_from.identity, SpfIdentity::MailFrom);
  EXPECT_EQ(mail_from.domain, "example.org");

  query.identity = SpfIdentity::Helo;
  const auto helo = run_check(resolver_, query).verdict;
  EXPECT_EQ(helo.result, SpfResult::Pass);
  EXPECT_EQ(helo.identity, SpfIdentity::Helo);
  EXPECT_EQ(helo.domain, "mx.example.net");
}

// A client cannot name an innocent domain in HELO to have a MAIL FROM passed.
TEST_F(SpfCheck, NeverPassesMailFromByTheHeloName) {
  const auto verdict = ask("friend.example TXT \"v=spf1 +all\"\nexample.org TXT \"v=spf1 -all\"",
                           {.helo = "friend.example", .mail_from = Sender{"", "example.org"}})
                           .verdict;
  EXPECT_EQ(verdict.result, SpfResult::Fail);
  EXPECT_EQ(verdict.domain, "example.org");
}

TEST_F(SpfCheck, ShowsHostileNamesHarmlessly) {
  const auto verdict = ask("", {.identity = SpfIdentity::Helo, .helo = "a\r\nb\x80.c d"}).verdict;
  EXPECT_EQ(verdict.domain, "a??b?.c?d");
}

// Ten terms with lookups, and not one more.
TEST_F(SpfCheck, CountsTermsWithLookups) {
  const auto record = [](int terms) {
    return "x.example.org A 192.0.2.9\nexample.org TXT \"v=spf1 ip4:192.0.2.8 " +
           repeated(terms, "a:x.example.org ") + "+all\"";
  };
  const auto ten = ask(record(10));
  EXPECT_EQ(ten.verdict.result, SpfResult::Pass);
  EXPECT_EQ(ten.terms, 10U);
  const auto eleven = ask(record(11));
  EXPECT_EQ(eleven.verdict.result, SpfResult::PermError);
  EXPECT_EQ(eleven.verdict.problem, "more than 10 terms with lookups");
  EXPECT_EQ(eleven.terms, 10U);
}

// Terms in includes and after a redirect count with the rest.
TEST_F(SpfCheck, CountsTermsOfAllRecordsTogether) {
  const auto zone = [](int terms) {
    return "x.example.org A 192.0.2.9\n"
           "example.org TXT \"v=spf1 include:a.example redirect=b.example\"\n"
           "a.example TXT \"v=spf1 a:x.example.org a:x.example.org a:x.example.org\"\n"
           "b.example TXT \"v=spf1 " +
           repeated(terms, "exists:x.example.org.example ") + "~all\"\n" +
           "x.example.org.example MX 0 .\n";
  };
  EXPECT_EQ(ask(zone(2)).verdict.result, SpfResult::SoftFail);
  EXPECT_EQ(ask(zone(2)).terms, 7U);
  const auto chain = [](int links) {
    return repeated(links,
                    "r{0}.example TXT \"v=spf1 include:r{0}.example.x\"\n"
                    "r{0}.example.x TXT \"v=spf1 -all\"\n") +
           "example.org TXT \"v=spf1 " + repeated(links, "include:r{}.example ") + "+all\"";
  };
  EXPECT_EQ(result_of(chain(5)), SpfResult::Pass);
  EXPECT_EQ(result_of(chain(6)), SpfResult::PermError);
}

// Two terms with void lookups, and not one more; A and AAAA, MX hosts, exists alike.
TEST_F(SpfCheck, CountsVoidLookups) {
  const std::string record = "example.org TXT \"v=spf1 ";
  EXPECT_EQ(result_of(record + "a:v0.example a:v1.example +all\""), SpfResult::Pass);
  const auto third = ask(record + "a:v0.example exists:v1.example mx:v2.example +all\"").verdict;
  EXPECT_EQ(third.result, SpfResult::PermError);
  EXPECT_THAT(third.problem, HasSubstr("\"v2.example\""));
  const auto hosts = [&](int count) {
    return record + repeated(count, "mx ") + "+all\"\n" +
           repeated(5, "example.org MX 10 mx{}.example\n");
  };
  EXPECT_EQ(result_of(hosts(2)), SpfResult::Pass);
  EXPECT_EQ(result_of(hosts(3)), SpfResult::PermError);
  EXPECT_EQ(ask(record + "a:v0.example a:v1.example a:six.example +all\"\nsix.example AAAA ::1")
                .verdict.result,
            SpfResult::PermError)
      << "no record of the type is as void as no name";
}

// Ten MX names of one mechanism; with an eleventh even a matching first one is no pass.
TEST_F(SpfCheck, CountsMxNames) {
  const auto zone = [](int count) {
    return "example.org TXT \"v=spf1 mx -all\"\n" +
           repeated(count,
                    "example.org MX {0} mx{0}.example.org\nmx{0}.example.org A 192.0.2.2{0}\n");
  };
  const Query tenth{.client = make_address("192.0.2.29")};
  EXPECT_EQ(result_of(zone(10), tenth), SpfResult::Pass);
  EXPECT_EQ(result_of(zone(11), tenth), SpfResult::PermError);
  EXPECT_EQ(result_of(zone(11), {.client = make_address("192.0.2.20")}), SpfResult::PermError);
}

// Ten PTR names; the rest is not looked at, and no error (RFC 7208 §4.6.4).
TEST_F(SpfCheck, LooksAtTenNamesOfAClient) {
  const auto zone = [](int others) {
    return "example.org TXT \"v=spf1 ptr -all\"\n192.0.2.1 PTR zz.example.org\n"
           "zz.example.org A 192.0.2.1\n" +
           repeated(others, "192.0.2.1 PTR aa{}.example.org\n");
  };
  const auto ten = ask(zone(9));
  EXPECT_EQ(ten.verdict.result, SpfResult::Pass);
  EXPECT_EQ(ten.voids, 0U) << "what a client's network claims spoils no record";
  EXPECT_EQ(result_of(zone(10)), SpfResult::Fail);
}

TEST_F(SpfCheck, CountsTheFirstUseOfTheClientsNameAsATerm) {
  const auto zone = [](int terms) {
    return "192.0.2.1 PTR mx.example.org\nmx.example.org A 192.0.2.1\n"
           "mx.example.org.x.example MX 0 .\nexample.org TXT \"v=spf1 " +
           repeated(terms, "mx:%{{p}}.x.example ") + "+all\"";
  };
  EXPECT_EQ(ask(zone(9)).terms, 10U);
  EXPECT_EQ(result_of(zone(9)), SpfResult::Pass);
  EXPECT_EQ(result_of(zone(10)), SpfResult::PermError);
}

TEST_F(SpfCheck, PrefersTheClientsNameInTheDomain) {
  const auto asked_for = [this](const std::string& zone) {
    ask(zone + "example.org TXT \"v=spf1 exists:%{p}.x.example -all\"\n");
    return resolver_.calls().back();
  };
  const std::string other = "192.0.2.1 PTR a.example\na.example A 192.0.2.1\n";
  const std::string under = "192.0.2.1 PTR mx.example.org\nmx.example.org A 192.0.2.1\n";
  const std::string itself = "192.0.2.1 PTR example.org\nexample.org A 192.0.2.1\n";
  const std::string liar = "192.0.2.1 PTR liar.example.org\nliar.example.org A 192.0.2.2\n";
  EXPECT_EQ(asked_for(liar), "a unknown.x.example");
  EXPECT_EQ(asked_for(liar + other), "a a.example.x.example");
  EXPECT_EQ(asked_for(liar + other + under), "a mx.example.org.x.example");
  EXPECT_EQ(asked_for(liar + other + under + itself), "a example.org.x.example");
}

TEST_F(SpfCheck, EndsLoopsByTheLimitOfTerms) {
  for (const char* zone : {"example.org TXT \"v=spf1 include:example.org\"",
                           "example.org TXT \"v=spf1 redirect=example.org\"",
                           "example.org TXT \"v=spf1 include:a.example\"\n"
                           "a.example TXT \"v=spf1 redirect=example.org\"",
                           "example.org TXT \"v=spf1 include:%{d}\""}) {
    const auto evaluation = ask(zone);
    EXPECT_EQ(evaluation.verdict.result, SpfResult::PermError) << zone;
    EXPECT_EQ(evaluation.terms, kMaxTerms);
    EXPECT_LE(evaluation.queries, 2U);
  }
}

TEST_F(SpfCheck, DemandsARecordWhereAnotherPoints) {
  const auto include = ask("example.org TXT \"v=spf1 include:a.example +all\"").verdict;
  EXPECT_EQ(include.result, SpfResult::PermError);
  EXPECT_EQ(include.problem, "no SPF record at \"a.example\"");
  EXPECT_EQ(result_of("example.org TXT \"v=spf1 redirect=a.example\""), SpfResult::PermError);
  EXPECT_EQ(result_of("example.org TXT \"v=spf1 include:%{l}%% +all\""), SpfResult::PermError);
}

// A record made for amplification. Ten terms of ten hosts each would be 111 questions.
TEST_F(SpfCheck, StopsAskingAtItsBudget) {
  std::string zone =
      "example.org TXT \"v=spf1 " + repeated(10, "mx:%{{l}}.m{}.example ") + "-all\"\n";
  for (int term = 0; term < 10; ++term) {
    for (int host = 0; host < 10; ++host) {
      zone += fmt::format(
          "ann.m{0}.example MX {1} h{1}.m{0}.example\nh{1}.m{0}.example A 192.0.2.9\n", term, host);
    }
  }
  const auto evaluation = ask(zone);
  EXPECT_EQ(evaluation.verdict.result, SpfResult::PermError);
  EXPECT_EQ(evaluation.verdict.problem, "more than 100 DNS queries");
  EXPECT_EQ(evaluation.queries, kMaxQueries);
  EXPECT_THAT(resolver_.calls(), SizeIs(kMaxQueries));
  // Control: the budget, and nothing else, stopped it.
  EXPECT_EQ(ask(zone, {.max_queries = 111}).queries, 111U);
  EXPECT_EQ(result_of(zone, {.max_queries = 111}), SpfResult::Fail);
}

// A repeated question costs nothing, because the answer is kept.
TEST_F(SpfCheck, CountsDistinctQuestions) {
  std::string zone = "example.org TXT \"v=spf1 mx mx:Example.ORG a:h3.example.org mx -all\"\n" +
                     repeated(10, "example.org MX {0} h{0}.example.org\n") +
                     repeated(10, "h{}.example.org A 192.0.2.9\n");
  const auto evaluation = ask(zone, {.max_queries = 12});
  EXPECT_EQ(evaluation.verdict.result, SpfResult::Fail);
  EXPECT_EQ(evaluation.terms, 4U);
  EXPECT_EQ(evaluation.queries, 12U) << "the record, the MX records and ten hosts";
  EXPECT_TRUE(ask(zone, {.max_queries = 11}).verdict.unfinished);
  // An address of another type is another question.
  zone = "example.org TXT \"v=spf1 exists:example.org a -all\"\nexample.org AAAA 2001:db8::9\n";
  EXPECT_EQ(ask(zone, {.client = make_address("2001:db8::1")}).queries, 3U);
}

// Nine mx terms of ten hosts, and a few others.
TEST_F(SpfCheck, EvaluatesALargeRecordToItsEnd) {
  std::string zone = "example.org TXT \"v=spf1 " + repeated(9, "mx:m{}.example ") + "-all\"\n";
  for (int term = 0; term < 9; ++term) {
    for (int host = 0; host < 10; ++host) {
      zone += fmt::format("m{0}.example MX {1} h{1}.m{0}.example\nh{1}.m{0}.example A 192.0.2.9\n",
                          term, host);
    }
  }
  EXPECT_EQ(ask(zone).queries, kMaxQueries);
  EXPECT_EQ(result_of(zone), SpfResult::Fail);
  EXPECT_EQ(kMaxQueries + kMaxHeloQueries, 120U) << "of one message";
}

// Nothing more is asked than the result needs.
TEST_F(SpfCheck, AsksForNothingBeyondTheFirstMatch) {
  ask("example.org TXT \"v=spf1 ip4:192.0.2.1 a:never.example exp=never.example\"");
  EXPECT_THAT(resolver_.calls(), ElementsAre("txt example.org"));
}

// The text of a stranger is fetched on request only.
TEST_F(SpfCheck, FetchesAnExplanationOnlyWhenAsked) {
  const std::string zone =
      "example.org TXT \"v=spf1 -all exp=why.%{d}\"\nwhy.example.org TXT \"%{i} \" \"is not ours\"";
  EXPECT_EQ(ask(zone).explanation, "");
  EXPECT_THAT(resolver_.calls(), ElementsAre("txt example.org"));
  EXPECT_EQ(ask(zone, {.explain = true}).explanation, "192.0.2.1 is not ours");
  EXPECT_EQ(ask("example.org TXT \"v=spf1 ~all exp=why.%{d}\"\nwhy.example.org TXT \"x\"",
                {.explain = true})
                .explanation,
            "");
}

// §6.2, §4.6.4: an explanation comes after the result and cannot change it.
TEST_F(SpfCheck, KeepsTheResultWhateverTheExplanationCosts) {
  const std::string zone =
      "x.example A 192.0.2.9\nexample.org TXT \"v=spf1 a:v0.example a:v1.example " +
      repeated(8, "a:x.example ") + "-all exp=%{p}.example\"\n" +
      "192.0.2.1 PTR mx.example.org\nmx.example.org A 192.0.2.1\n" +
      "mx.example.org.example TXT \"you are %{p}\"";
  const auto evaluation = ask(zone, {.explain = true});
  EXPECT_EQ(evaluation.verdict.result, SpfResult::Fail);
  EXPECT_EQ(evaluation.explanation, "you are mx.example.org");
  EXPECT_EQ(evaluation.terms, kMaxTerms);
  EXPECT_EQ(evaluation.voids, kMaxVoids);
}

TEST_F(SpfCheck, AsksForNoNameThatHoldsNul) {
  const auto evaluation = ask("example.org TXT \"v=spf1 exists:%{h}.example mx:%{h}.example +all\"",
                              {.helo = std::string("a\0b", 3)});
  EXPECT_EQ(evaluation.verdict.result, SpfResult::Pass);
  EXPECT_EQ(evaluation.voids, 2U);
  EXPECT_THAT(resolver_.calls(), ElementsAre("txt example.org"));
}

TEST_F(SpfCheck, CutsALongDirectiveInTheVerdict) {
  const std::string part(250, 'x');
  const auto verdict = ask("example.org TXT \"v=spf1 ?exists:" + part + ".%{d}.example +all\"\n");
  EXPECT_EQ(verdict.verdict.mechanism, "+all");
  const auto matched = ask("example.org TXT \"v=spf1 a:" + part +
                           ".x.example.org\"\n"
                           "x.example.org A 192.0.2.1");
  EXPECT_EQ(matched.verdict.result, SpfResult::Pass);
  EXPECT_EQ(matched.verdict.mechanism.size(), 255U);
}

class SpfSilence : public testing::TestWithParam<const char*> {};

// §4.6.4: if the time runs out without an answer, the result is a temporary error.
TEST_P(SpfSilence, EndsAsTempErrorAtTheDeadline) {
  fakes::FakeClock clock;
  fakes::FakeResolver resolver(
      clock, std::string("silent.example NEVER\n192.0.2.1 NEVER\n192.0.2.2 PTR silent.example\n") +
                 GetParam());
  for (const char* client : {"192.0.2.1", "192.0.2.2"}) {
    boost::asio::io_context io;
    std::optional<Evaluation> evaluation;
    Query query{.client = make_address(client),
                .mail_from = sender("ann@example.org"),
                .deadline = {clock.steady() + std::chrono::seconds(20)}};
    boost::asio::co_spawn(io.get_executor(), check(resolver, clock, std::move(query)),
                          [&](std::exception_ptr, Evaluation value) { evaluation = value; });
    clock.run_for(io, std::chrono::seconds(19));
    EXPECT_FALSE(evaluation);
    clock.run_for(io, std::chrono::seconds(1));
    ASSERT_TRUE(evaluation);
    EXPECT_EQ(evaluation->verdict.result, SpfResult::TempError);
    EXPECT_THAT(evaluation->verdict.problem, HasSubstr("timed out"));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Anywhere, SpfSilence,
    testing::Values("example.org NEVER", "example.org TXT \"v=spf1 include:silent.example +all\"",
                    "example.org TXT \"v=spf1 redirect=silent.example\"",
                    "example.org TXT \"v=spf1 a:silent.example +all\"",
                    "example.org TXT \"v=spf1 mx:silent.example +all\"",
                    "example.org TXT \"v=spf1 mx +all\"\nexample.org MX 10 silent.example",
                    "example.org TXT \"v=spf1 exists:silent.example +all\"",
                    "example.org TXT \"v=spf1 ptr:silent.example +all\"",
                    "example.org TXT \"v=spf1 -exists:%{p}.example +all\""));

}  // namespace
}  // namespace relay::auth::spf
