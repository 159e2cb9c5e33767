// SPF with answers that are large, useless or empty.
#include <algorithm>
#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/auth/spf/check.hpp"
#include "tests/auth/spf/run_check.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/fakes/instant_resolver.hpp"

namespace relay::auth::spf {
namespace {

using boost::asio::ip::make_address;
using mail::SpfResult;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class SpfAnswers : public testing::Test {
 protected:
  Evaluation ask(const std::string& zone, const std::string& client = "192.0.2.1") {
    resolver_.replace_zone(zone);
    return run_check(resolver_, {.client = make_address(client),
                                 .helo = "mx.example.org",
                                 .mail_from = sender("ann@example.org")});
  }

  SpfResult result_of(const std::string& zone, const std::string& client = "192.0.2.1") {
    return ask(zone, client).verdict.result;
  }

  fakes::FakeClock clock_;
  fakes::FakeResolver resolver_{clock_, ""};
};

// RFC 7208 §4.5: other records are discarded first.
TEST_F(SpfAnswers, TheRecordIsFoundAmongWhateverElseStandsThere) {
  const std::string record = "example.org TXT \"v=spf1 ip4:192.0.2.1 -all\"\n";
  std::string others;
  for (int i = 0; i < 187; ++i) others += fmt::format("example.org TXT \"token-{}=x\"\n", i);
  EXPECT_EQ(result_of(others + record), SpfResult::Pass);
  EXPECT_EQ(result_of(record + others), SpfResult::Pass);
  EXPECT_EQ(result_of(record + others + "example.org TXT \"v=spf1 +all\"\n"), SpfResult::PermError);
  EXPECT_EQ(result_of(others), SpfResult::None);
  EXPECT_EQ(result_of(fmt::format("example.org TXT \"{}\"\n", std::string(5000, 'x'))),
            SpfResult::None)
      << "junk is an answer";
}

TEST_F(SpfAnswers, ALongRecordIsARecord) {
  std::string record = "v=spf1";
  for (int i = 0; i < 1000; ++i) record += fmt::format(" ip4:198.51.{}.{}", i / 250, i % 250);
  EXPECT_GT(record.size(), 16'000U);
  for (const char* where : {"example.org", "p.example"}) {
    const std::string zone =
        fmt::format("{} TXT \"{} ip4:192.0.2.1 -all\"\n", where, record) +
        (where == std::string("p.example") ? "example.org TXT \"v=spf1 include:p.example -all\"\n"
                                           : "");
    EXPECT_EQ(result_of(zone), SpfResult::Pass) << where;
    EXPECT_EQ(result_of(zone, "192.0.2.2"), SpfResult::Fail) << where;
  }
}

/// The parts of a record that are not kept for this client cannot change the result.
TEST_F(SpfAnswers, WhatCannotBeReachedChangesNothing) {
  const std::string hosts = "x.example A 198.51.100.1\n";
  const auto zone = [&](const std::string& terms) {
    return hosts + "example.org TXT \"v=spf1 " + terms + "\"\n";
  };
  std::string ten;
  for (int i = 0; i < 10; ++i) ten += "a:x.example ";
  EXPECT_EQ(result_of(zone(ten + "-all")), SpfResult::Fail);
  EXPECT_EQ(result_of(zone(ten + "ip4:192.0.2.1 a:x.example -all")), SpfResult::Pass);
  EXPECT_EQ(result_of(zone(ten + "a:x.example ip4:192.0.2.1 -all")), SpfResult::PermError);
  EXPECT_EQ(result_of(zone("?all ip4:192.0.2.1 -all")), SpfResult::Neutral);
  EXPECT_EQ(result_of(zone("ip4:192.0.2.2 ~ip4:192.0.2.1 ip4:192.0.2.1")), SpfResult::SoftFail);
  EXPECT_EQ(result_of(zone("?all nonsense:x")), SpfResult::PermError) << "§4.6: all is read first";
}

// RFC 7208 §5.3, §5.4: any of the addresses may match, and the order they come in means nothing.
TEST_F(SpfAnswers, AnyOfManyAddressesMatches) {
  std::vector<std::string> lines;
  for (int i = 0; i < 1000; ++i) {
    lines.push_back(fmt::format("h.example A 10.1.{}.{}\n", i / 250, i % 250));
  }
  lines.emplace_back("h.example A 192.0.2.1\n");
  std::mt19937 dice(7208);
  for (const char* term : {"a:h.example", "mx:m.example", "include:p.example"}) {
    std::ranges::shuffle(lines, dice);
    std::string zone = fmt::format("example.org TXT \"v=spf1 {} -all\"\n", term) +
                       "m.example MX 10 h.example\np.example TXT \"v=spf1 a:h.example\"\n";
    for (const std::string& line : lines) zone += line;
    EXPECT_EQ(result_of(zone), SpfResult::Pass) << term;
    EXPECT_EQ(result_of(zone, "192.0.2.2"), SpfResult::Fail) << term;
  }
}

// §5, §5.4: no such host: no match, on with the next term, and one void lookup.
TEST_F(SpfAnswers, AnMxThatIsNoHostDoesNotMatch) {
  for (const char* host :
       {"192.0.2.1", "192.0.2.1.", "mail host.example", R"(mail\032host.example)", "*.example",
        "http://mail.example", R"(m\046x.example)", R"(\000.x)"}) {
    for (const char* way : {"mx", "mx:m.example", "include:p.example"}) {
      const std::string zone =
          fmt::format("example.org MX 10 {0}\nm.example MX 10 {0}\n", host) +
          "p.example TXT \"v=spf1 mx:m.example ~all\"\n" +
          fmt::format("example.org TXT \"v=spf1 {} ip4:192.0.2.1 -all\"\n", way);
      const auto evaluation = ask(zone);
      EXPECT_EQ(evaluation.verdict.result, SpfResult::Pass) << host << " " << way;
      EXPECT_EQ(evaluation.verdict.mechanism, "ip4:192.0.2.1") << host << " " << way;
      EXPECT_EQ(evaluation.voids, 1U) << host << " " << way;
      EXPECT_THAT(resolver_.calls(), Not(Contains(HasSubstr("a 192.0.2.1"))))
          << "some resolvers answer that with 192.0.2.1";
    }
  }
}

TEST_F(SpfAnswers, AnMxIsAskedForByItsOctets) {
  fakes::InstantResolver resolver;
  resolver.add_txt("example.org", "v=spf1 mx -all");
  resolver.add_mx("example.org", 10, R"(mail\032host.example.org)");
  resolver.add_address("mail host.example.org", make_address("192.0.2.1"));
  const Query query{.client = make_address("192.0.2.1"), .mail_from = sender("ann@example.org")};
  EXPECT_EQ(run_check(resolver, query).verdict.result, SpfResult::Pass);
}

// §4.6.4: void is an answer without records; one with records of no use is none.
TEST_F(SpfAnswers, AMappedAddressDoesNotMatch) {
  const std::string six = "2001:db8::7";
  for (const char* term : {"a:h.example", "mx:m.example", "include:p.example"}) {
    const auto evaluation =
        ask(fmt::format("example.org TXT \"v=spf1 {} ip6:2001:db8::/32 -all\"\n", term) +
                "h.example AAAA ::ffff:192.0.2.1\nm.example MX 10 h.example\n"
                "p.example TXT \"v=spf1 a:h.example -all\"\n",
            six);
    EXPECT_EQ(evaluation.verdict.result, SpfResult::Pass) << term;
    EXPECT_EQ(evaluation.voids, 0U) << term;
  }
}

// §4.6.4 limits "the number of 'terms' for which DNS queries return" nothing.
TEST_F(SpfAnswers, ATermIsVoidOnceHoweverManyOfItsHostsAre) {
  const std::string old_hosts =
      "example.org MX 10 a.example\nexample.org MX 20 b.example\nexample.org MX 30 c.example\n"
      "a.example A 198.51.100.1\nb.example A 198.51.100.2\nc.example A 198.51.100.3\n"
      "p.example TXT \"v=spf1 ip6:2001:db8::/32 -all\"\n";
  const auto evaluation =
      ask(old_hosts + "example.org TXT \"v=spf1 mx include:p.example -all\"", "2001:db8::7");
  EXPECT_EQ(evaluation.verdict.result, SpfResult::Pass);
  EXPECT_EQ(evaluation.voids, 1U);
  const auto spent =
      ask(old_hosts + "example.org TXT \"v=spf1 mx a:b.example mx -all\"", "2001:db8::7");
  EXPECT_EQ(spent.verdict.result, SpfResult::PermError) << "but terms are counted";
  EXPECT_EQ(spent.voids, kMaxVoids);
}

TEST_F(SpfAnswers, ATermInAnIncludeIsATermOfItsOwn) {
  const std::string zone =
      "p.example TXT \"v=spf1 a:v0.example a:v1.example ?all\"\n"
      "example.org TXT \"v=spf1 include:p.example a:v2.example +all\"";
  EXPECT_EQ(result_of(zone), SpfResult::PermError);
  // The client has no name, so the name made by %{p} does not exist: one term, one void.
  const auto unnamed = ask("example.org TXT \"v=spf1 a:%{p}.example a:v1.example +all\"");
  EXPECT_EQ(unnamed.verdict.result, SpfResult::Pass);
  EXPECT_EQ(unnamed.voids, 2U);
}

}  // namespace
}  // namespace relay::auth::spf
