#include "relay/auth/results/forged.hpp"

#include <gtest/gtest.h>

namespace relay::auth::results {
namespace {

constexpr const char* kOurs = "mx.fwd.example";

struct FieldCase {
  const char* name;
  std::string line;  ///< without its CRLF
  bool removed;
};

class Forged : public testing::TestWithParam<FieldCase> {};

TEST_P(Forged, IsTakenAwayAndNothingElse) {
  const std::string before = "Received: by x\r\n";
  const std::string after = "Subject: mx.fwd.example; dkim=pass\r\n\tmore  \r\n";
  const std::string line = GetParam().line + "\r\n";
  std::size_t removed = 99;
  const std::string kept = without_forged(before + line + after, kOurs, &removed);
  EXPECT_EQ(kept, before + (GetParam().removed ? "" : line) + after);
  EXPECT_EQ(removed, GetParam().removed ? 1U : 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Spellings, Forged,
    testing::Values(
        FieldCase{"Plain", "Authentication-Results: mx.fwd.example; dkim=pass", true},
        FieldCase{"None", "Authentication-Results: mx.fwd.example; none", true},
        FieldCase{"IdAlone", "Authentication-Results: mx.fwd.example", true},
        FieldCase{"NoSpace", "Authentication-Results:mx.fwd.example;x", true},
        FieldCase{"AnyCase", "AUTHENTICATION-results: MX.Fwd.ExAmple; x", true},
        FieldCase{"SpaceBeforeColon", "Authentication-Results \t: mx.fwd.example; x", true},
        FieldCase{"Folded", "Authentication-Results:\r\n \r\n\tmx.fwd.example\r\n ; x", true},
        FieldCase{"Version", "Authentication-Results: mx.fwd.example 1; x", true},
        FieldCase{"OddVersion", "Authentication-Results: mx.fwd.example 77; x", true},
        FieldCase{"VersionBehindSlash", "Authentication-Results: mx.fwd.example/1; x", true},
        FieldCase{"VersionBehindSemicolon", "Authentication-Results: mx.fwd.example;1; x", true},
        FieldCase{"Comment", "Authentication-Results: (a(b)) mx.fwd.example (c); x", true},
        FieldCase{"Quoted", "Authentication-Results: \"mx.fwd.example\"; x", true},
        FieldCase{"QuotedPairs", "Authentication-Results: \"mx\\.fwd\\.example\"; x", true},
        FieldCase{"QuotedSpace", "Authentication-Results: \" mx.fwd.example \"; x", true},
        FieldCase{"TrailingDot", "Authentication-Results: mx.fwd.example.; x", true},
        FieldCase{"DotsBetweenSpaces", "Authentication-Results: mx . fwd . example; x", true},
        FieldCase{"CommentInName", "Authentication-Results: mx(a).fwd(b).example; x", true},
        FieldCase{"OpenComment", "Authentication-Results: mx.fwd.example (; x", true},
        FieldCase{"InOpenComment", "Authentication-Results: ( mx.fwd.example; x", true},
        FieldCase{"OpenQuote", "Authentication-Results: \"mx.fwd.example; x", true},
        FieldCase{"SecondWord", "Authentication-Results: other mx.fwd.example; x", true},
        FieldCase{"EmptyId", "Authentication-Results: ; mx.fwd.example; x", true},
        FieldCase{"Control", "Authentication-Results: mx.fwd.\x01 example; x", true},
        FieldCase{"Comma", "Authentication-Results: mx.fwd.example, other; x", true},
        FieldCase{"NoFieldAtAll", "Authentication-Results\r\n : mx.fwd.example; x", true},
        FieldCase{"ControlInName", "Authentication-Results\x01: mx.fwd.example; x", true},
        FieldCase{"NoColon", "Authentication-Results mx.fwd.example; x", true},
        FieldCase{"Other", "Authentication-Results: mx.other.example; x", false},
        FieldCase{"OursInComment", "Authentication-Results: (mx.fwd.example) o.example; x", false},
        FieldCase{"OursInResult", "Authentication-Results: o.example; x=y a.b=mx.fwd.example",
                  false},
        FieldCase{"Subdomain", "Authentication-Results: a.mx.fwd.example; x", false},
        FieldCase{"Parent", "Authentication-Results: fwd.example; x", false},
        FieldCase{"UnreadableOther", "Authentication-Results: o.example (; x", false},
        FieldCase{"Original", "Authentication-Results-Original: mx.fwd.example; x", false},
        FieldCase{"Arc", "ARC-Authentication-Results: i=1; mx.fwd.example; x", false},
        FieldCase{"X", "X-Authentication-Results: mx.fwd.example; x", false},
        FieldCase{"InFoldedSubject", "Subject: a\r\n Authentication-Results: mx.fwd.example; x",
                  false}),
    [](const auto& info) { return std::string(info.param.name); });

// OpenDKIM deleted the wrong ones (CVE-2022-48521) because ordinals shift while one deletes.
TEST(WithoutForged, TakesFiveOfManyAway) {
  const std::string forged = "Authentication-Results: mx.fwd.example; dmarc=pass\r\n";
  const std::string folded =
      "authentication-results:\r\n\t(x) MX.fwd.example 1;\r\n\tdkim=pass\r\n";
  const std::string other = "Authentication-Results: o.example; dmarc=fail\r\n";
  const std::string subject = "Subject:  two  spaces \r\n";
  const std::string junk = "this is no field\r\n";
  std::size_t removed = 0;
  const std::string kept =
      without_forged(forged + forged + other + subject + folded + other + junk + forged + other +
                         folded + "\r\nAuthentication-Results: mx.fwd.example; in the body\r\n",
                     "MX.FWD.example.", &removed);
  EXPECT_EQ(removed, 5U);
  EXPECT_EQ(kept, other + subject + other + junk + other +
                      "\r\nAuthentication-Results: mx.fwd.example; in the body\r\n");
}

TEST(WithoutForged, KnowsNamesInULabels) {
  EXPECT_TRUE(claims_to_be("xn--bcher-kva.example", " B\xC3\xBC\x63her.example; x"));
  EXPECT_TRUE(claims_to_be("b\xC3\xBC\x63her.example", " xn--bcher-kva.example; x"));
}

TEST(WithoutForged, TakesTimeInProportion) {
  std::string block;
  for (int i = 0; i < 2'000; ++i) {
    block += "Authentication-Results: \"" + std::string(500, '(') + "\r\n";
  }
  std::size_t removed = 1;
  EXPECT_EQ(without_forged(block, kOurs, &removed), block);
  EXPECT_EQ(removed, 0U);
}

}  // namespace
}  // namespace relay::auth::results
