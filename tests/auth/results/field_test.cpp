// Goldens of the Authentication-Results field, and limits that no verdict can break.
// tests/auth/results/read_fields.py reads the goldens with a parser that is not ours.
#include "relay/auth/results/field.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/auth/results/parser.hpp"
#include "relay/mail/header.hpp"
#include "tests/support/golden.hpp"

namespace relay::auth::results {
namespace {

using testing::HasSubstr;
using testing::Not;
using namespace mail;

ReversePath path(const std::string& text) { return *parse_reverse_path("<" + text + ">"); }

Authentication good_verdicts() {
  Authentication found;
  found.iprev = {IprevResult::Pass, "mx.sender.example"};
  found.helo = {
      .result = SpfResult::None, .identity = SpfIdentity::Helo, .domain = "mx.sender.example"};
  found.mail_from = {.result = SpfResult::Pass, .domain = "sender.example", .mechanism = "mx"};
  found.dkim = {{.result = DkimResult::Pass,
                 .domain = "sender.example",
                 .selector = "s2026",
                 .identity = "@sender.example",
                 .algorithm = "rsa-sha256",
                 .signature_head = "ab/cd+ef"},
                {.result = DkimResult::Fail,
                 .domain = "list.example",
                 .selector = "k1",
                 .identity = "owner@list.example",
                 .algorithm = "ed25519-sha256",
                 .signature_head = "Zm9vYmFy",
                 .problem = "body hash did not verify"}};
  found.dmarc = {.result = DmarcResult::Pass,
                 .from_domain = "sender.example",
                 .policy_domain = "sender.example",
                 .policy = DmarcPolicy::Reject};
  found.arc = {.result = ArcResult::Pass, .instances = 2, .last_sealer = "list.example"};
  return found;
}

const Client kClient{.address = "2001:db8::25", .helo = "mx.sender.example", .esmtp = true};

std::string field_of(const Authentication& verdicts, const ReversePath& sender,
                     const Client& client = kClient, bool smtputf8 = false) {
  return results_field(results_value(
      "mx.fwd.example",
      {.verdicts = verdicts, .sender = sender, .client = client, .smtputf8 = smtputf8}));
}

Results parsed(const std::string& field) {
  const Header header(field);
  EXPECT_TRUE(header.fields().size() == 1 && header.unreadable().empty()) << field;
  auto read = parse_results(header.fields().front().value);
  EXPECT_TRUE(read.has_value()) << field;
  return read.value_or(Results{});
}

void expect_golden(const std::string& name, const std::string& text) {
  support::expect_golden("tests/auth/results/data/" + name, text);
}

/// Everything an attacker chooses, as bad as the types allow and worse.
Authentication hostile_verdicts(const std::string& evil) {
  Authentication found = good_verdicts();
  found.helo.domain = evil;
  found.helo.problem = evil;
  found.mail_from.domain = evil;
  found.mail_from.problem = evil;
  found.iprev.name = evil;
  for (auto& verdict : found.dkim) {
    verdict = {.result = DkimResult::Fail,
               .domain = evil,
               .selector = evil,
               .identity = "x@" + evil,
               .algorithm = evil,
               .signature_head = evil,
               .problem = evil};
  }
  found.dmarc.result = DmarcResult::Fail;
  found.dmarc.from_domain = evil;
  found.dmarc.policy_domain = evil;
  found.dmarc.problem = evil;
  found.arc.result = ArcResult::Fail;
  found.arc.last_sealer = evil;
  found.arc.problem = evil;
  return found;
}

TEST(ResultsField, OfGoodMailIsAsRecorded) {
  expect_golden("good.golden", field_of(good_verdicts(), path("ann@sender.example")));
}

TEST(ResultsField, OfMailWithoutAnythingSaysNone) {
  const Authentication nothing{.iprev = {IprevResult::Fail, ""}};
  const Client client{.address = "192.0.2.9", .helo = "[192.0.2.9]"};
  expect_golden("none.golden", field_of(nothing, path("ann@sender.example"), client));
  EXPECT_THAT(field_of(nothing, ReversePath::null(), client), HasSubstr("spf=none smtp.helo"));
}

TEST(ResultsField, OfSpoofIsAsRecorded) {
  Authentication found = good_verdicts();
  found.mail_from.result = SpfResult::SoftFail;
  found.dkim.clear();
  found.dmarc = {.result = DmarcResult::Fail,
                 .from_domain = "bank.example",
                 .policy_domain = "bank.example",
                 .policy = DmarcPolicy::Quarantine};
  found.arc = {.result = ArcResult::Fail, .instances = 3, .problem = "seal 2 does not verify"};
  expect_golden("spoof.golden", field_of(found, path("SRS0=x@evil.example")));
}

TEST(ResultsField, ReportsHeloForNullSender) {
  Authentication found = good_verdicts();
  found.helo.result = SpfResult::Pass;
  const auto read = parsed(field_of(found, ReversePath::null()));
  ASSERT_EQ(read.results.at(1).method, "spf");
  EXPECT_EQ(read.results.at(1).result, "pass");
  EXPECT_EQ(*read.results.at(1).find("smtp.helo"), "mx.sender.example");
  EXPECT_EQ(read.results.at(2).method, "dkim");
}

TEST(ResultsField, ComesBackFromParserAsItWas) {
  const auto read = parsed(field_of(good_verdicts(), path("ann@sender.example")));
  EXPECT_EQ(read.authserv_id, "mx.fwd.example");
  const std::vector<Result> expected = {
      {"iprev", "pass", "", {{"policy", "iprev", "2001:db8::25"}}},
      {"spf", "none", "", {{"smtp", "helo", "mx.sender.example"}}},
      {"spf", "pass", "", {{"smtp", "mailfrom", "ann@sender.example"}}},
      {"dkim",
       "pass",
       "",
       {{"header", "d", "sender.example"},
        {"header", "i", "@sender.example"},
        {"header", "s", "s2026"},
        {"header", "a", "rsa-sha256"},
        {"header", "b", "ab/cd+ef"}}},
      {"dkim",
       "fail",
       "body hash did not verify",
       {{"header", "d", "list.example"},
        {"header", "i", "owner@list.example"},
        {"header", "s", "k1"},
        {"header", "a", "ed25519-sha256"},
        {"header", "b", "Zm9vYmFy"}}},
      {"dmarc", "pass", "", {{"header", "from", "sender.example"}, {"policy", "dmarc", "reject"}}},
      {"arc", "pass", "", {{"header", "oldest-pass", "0"}, {"smtp", "remote-ip", "2001:db8::25"}}},
  };
  EXPECT_EQ(read.results, expected);
}

struct TextCase {
  const char* name;
  std::string text;
};

class HostileText : public testing::TestWithParam<TextCase> {};

// A stranger who chooses names cannot add results.
TEST_P(HostileText, AddsNoResultAndNoLine) {
  const auto field = field_of(hostile_verdicts(GetParam().text), path("ann@sender.example"));
  EXPECT_EQ(field.find('\0'), std::string::npos);
  std::istringstream lines(field);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_TRUE(line.ends_with('\r')) << line;
    EXPECT_EQ(line.starts_with('\t'), count > 0) << line;
    EXPECT_LE(line.size(), 998U);
  }
  const auto read = parsed(field);
  ASSERT_EQ(read.results.size(), 7U);
  for (std::size_t i = 3; i < read.results.size(); ++i) EXPECT_EQ(read.results[i].result, "fail");
  // Nor for a reader that only looks for the words.
  for (const char* method : {"dkim", "dmarc", "arc"}) {
    EXPECT_THAT(field, Not(HasSubstr(std::string(method) + "=pass"))) << field;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Injected, HostileText,
    testing::Values(
        TextCase{"Comment", "legit.example(.evil.example"},
        TextCase{"Semicolon", "legit.example;dkim=pass"}, TextCase{"Space", "a dmarc=pass"},
        TextCase{"Field", "x\r\nAuthentication-Results: mx.fwd.example; dmarc=pass"},
        TextCase{"Quote", "\"; arc=pass"}, TextCase{"Backslash", "\\\"; arc=pass"},
        TextCase{"Parentheses", "x) ; dkim=pass ("},
        TextCase{"Nul", std::string("a\0b; dkim=pass", 14)}, TextCase{"DkimWord", "dkim=pass"},
        TextCase{"DmarcWord", "dmarc=pass"}, TextCase{"ArcWord", "arc=pass"},
        TextCase{"ManyParentheses", std::string(70'000, '(')},
        TextCase{"Long", std::string(900, 'a')}, TextCase{"NextLine", "\xC2\x85;dmarc=pass"},
        TextCase{"Apostrophe", "'or'"}, TextCase{"Slash", "a/b"}, TextCase{"Comma", "a,b"}),
    [](const auto& info) { return std::string(info.param.name); });

/// The control: such a text in a field that copies it unchanged.
TEST(ResultsField, WouldHoldAnotherResultIfValuesWereNotEncoded) {
  const auto read = parse_results("mx.fwd.example; spf=fail smtp.helo=legit.example;dkim=pass");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->results.back(), (Result{"dkim", "pass", "", {}}));
}

TEST(ResultsField, TakesOnlySoManySignaturesButAllThatPassed) {
  Authentication found = good_verdicts();
  const DkimVerdict pass = found.dkim.front();
  found.dkim.assign(100, {.result = DkimResult::Fail, .domain = std::string(250, 'd')});
  found.dkim.push_back(pass);
  const auto field = field_of(found, path("ann@sender.example"));
  std::size_t signatures = 0;
  std::size_t passed = 0;
  for (const auto& result : parsed(field).results) {
    signatures += result.method == "dkim" ? 1 : 0;
    passed += result.method == "dkim" && result.result == "pass" ? 1 : 0;
  }
  EXPECT_EQ(signatures, kMaxDkimResults);
  EXPECT_EQ(passed, 1U);
  EXPECT_LT(field.size(), 16'384U);
}

TEST(ResultsField, HoldsUtf8OnlyWhereTheMessageMay) {  // RFC 8616
  const auto sender = path("j\xC3\xBCrgen@sender.example");
  EXPECT_THAT(field_of(good_verdicts(), sender, kClient, true),
              HasSubstr("smtp.mailfrom=j\xC3\xBCrgen@sender.example"));
  EXPECT_THAT(field_of(good_verdicts(), sender), HasSubstr("smtp.mailfrom=sender.example"));
}

TEST(ResultsField, IsFoldedWhereItCanBe) {
  std::istringstream lines(field_of(good_verdicts(), path("ann@sender.example")));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t columns = line.size() - 1 + (line.starts_with('\t') ? 7 : 0);
    EXPECT_LE(columns, 78U) << line;
  }
  const std::string long_name = std::string(60, 'a') + ".fwd.example";
  EXPECT_THAT(results_field(long_name + "; none"),
              testing::StartsWith("Authentication-Results:\r\n\taaa"));
}

}  // namespace
}  // namespace relay::auth::results
