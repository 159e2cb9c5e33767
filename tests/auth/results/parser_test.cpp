#include "relay/auth/results/parser.hpp"

#include <gtest/gtest.h>

namespace relay::auth::results {
namespace {

TEST(ResultsParser, ReadsExamplesOfRfc8601) {
  // Appendix B.
  const auto none = parse_results(" example.org 1; none\r\n");
  ASSERT_TRUE(none);
  EXPECT_EQ(none->authserv_id, "example.org");
  EXPECT_TRUE(none->results.empty());

  const auto two = parse_results(
      " example.com;\r\n          auth=pass (cram-md5) smtp.auth=sender@example.net;\r\n"
      "          spf=pass smtp.mailfrom=example.net\r\n");
  ASSERT_TRUE(two);
  const std::vector<Result> expected = {
      {"auth", "pass", "", {{"smtp", "auth", "sender@example.net"}}},
      {"spf", "pass", "", {{"smtp", "mailfrom", "example.net"}}}};
  EXPECT_EQ(two->results, expected);

  const auto commented = parse_results(
      " foo.example.net (foobar) 1 (baz);\r\n    dkim (Because I like it) / 1 (One yay) = (wait "
      "for it) fail\r\n      policy (A dot can go here) . (like that) expired\r\n"
      "      (this surprised me) = (as I wasn't expecting it) 1362471462\r\n");
  ASSERT_TRUE(commented);
  EXPECT_EQ(commented->authserv_id, "foo.example.net");
  EXPECT_EQ(commented->results,
            (std::vector<Result>{{"dkim", "fail", "", {{"policy", "expired", "1362471462"}}}}));
}

struct ValueCase {
  const char* name;
  std::string value;
  bool readable;
};

class ResultsGrammar : public testing::TestWithParam<ValueCase> {};

TEST_P(ResultsGrammar, IsKept) {
  EXPECT_EQ(parse_results(GetParam().value).has_value(), GetParam().readable);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, ResultsGrammar,
    testing::Values(ValueCase{"None", "a;none", true}, ValueCase{"NoneFolded", "a;\r\n none", true},
                    ValueCase{"NoResult", "a", false}, ValueCase{"EmptyResult", "a;", false},
                    ValueCase{"NoId", "; none", false}, ValueCase{"Empty", "", false},
                    ValueCase{"NoneAndMore", "a; none; spf=pass", false},
                    ValueCase{"QuotedId", "\"a b\"; none", true},
                    ValueCase{"OpenQuote", "\"a; none", false},
                    ValueCase{"OpenComment", "a (; none", false},
                    ValueCase{"NestedComment", "(a(b)\\)c)a; none", true},
                    ValueCase{"LaterVersion", "a 2; none", false},
                    ValueCase{"MethodVersion", "a; spf/1=pass", true},
                    ValueCase{"LaterMethodVersion", "a; spf/2=pass", false},
                    ValueCase{"NoMethod", "a; =pass", false},
                    ValueCase{"NoResultWord", "a; spf=", false},
                    ValueCase{"PropertyWithoutName", "a; spf=pass smtp.=x", false},
                    ValueCase{"PropertyWithoutValue", "a; spf=pass smtp.helo=", false},
                    ValueCase{"PropertyWithoutType", "a; spf=pass .helo=x", false},
                    ValueCase{"Reason", "a; spf=fail reason=\"x; y\" smtp.helo=x", true},
                    ValueCase{"QuotedLocalPart", "a; spf=fail smtp.mailfrom=\"x y\"@z", true},
                    ValueCase{"JunkBehind", "a; spf=pass !", false}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ResultsParser, TakesQuotesOff) {
  const auto read = parse_results("a; x=y reason=\"q \\\"r\\\"\" header.b=\"a/b\" s.m=\"x y\"@z.z");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->results.front().reason, "q \"r\"");
  EXPECT_EQ(*read->results.front().find("header.b"), "a/b");
  EXPECT_EQ(*read->results.front().find("s.m"), "x y@z.z");
  EXPECT_EQ(read->results.front().find("header.d"), nullptr);
}

TEST(ResultsParser, ReadsIdWhateverFollows) {
  EXPECT_EQ(authserv_id_of(" (c) Mx.Fwd.Example ; ((((").value_or(""), "Mx.Fwd.Example");
  EXPECT_EQ(authserv_id_of(" \"mx\\.fwd.example\" 1; x").value_or(""), "mx.fwd.example");
  EXPECT_FALSE(authserv_id_of(" mx . fwd . example; x"));
  EXPECT_FALSE(authserv_id_of(" other mx.fwd.example; x"));
}

struct SloppyCase {
  const char* name;
  std::string value;
  std::vector<Result> results;
};

void PrintTo(const SloppyCase& one, std::ostream* out) { *out << one.name; }

class SloppyResults : public testing::TestWithParam<SloppyCase> {};

TEST_P(SloppyResults, AreReadOneByOne) {
  const auto read = parse_results_leniently(GetParam().value);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->results, GetParam().results);
  EXPECT_FALSE(parse_results(GetParam().value)) << "the grammar has no such thing";
}

const Result kSpf{"spf", "pass", "", {{"smtp", "helo", "x"}}};
const Result kDmarc{"dmarc", "pass", "", {{"header", "from", "x"}}};

INSTANTIATE_TEST_SUITE_P(
    Cases, SloppyResults,
    testing::Values(
        SloppyCase{"WordInFront", "a; dmarc=pass action=none header.from=x", {kDmarc}},
        SloppyCase{"WordBehind", "a; dmarc=pass header.from=x x-bits=2048", {kDmarc}},
        SloppyCase{"WordWithSpaces", "a; dmarc=pass action = none header.from=x", {kDmarc}},
        SloppyCase{"WordInQuotes", "a; dmarc=pass action=\"a; b\" header.from=x", {kDmarc}},
        SloppyCase{"PartOfItsOwn",
                   "a; client-ip=192.0.2.7 1; dmarc=pass header.from=x",
                   {{"client-ip", "192", "", {}}, kDmarc}},
        SloppyCase{"EmptyValue",
                   "a; spf=pass smtp.mailfrom= smtp.helo=x; dmarc=pass header.from=",
                   {kSpf, {"dmarc", "pass", "", {}}}},
        SloppyCase{"EmptyReason",
                   "a; spf=pass reason= ; dmarc=pass header.from=x",
                   {{"spf", "pass", "", {}}, kDmarc}},
        SloppyCase{"FinalSemicolon", "a; spf=pass smtp.helo=x;", {kSpf}},
        SloppyCase{"FinalSemicolonFolded", "a; spf=pass smtp.helo=x;\r\n ", {kSpf}},
        SloppyCase{
            "EmptyPart", "a; spf=pass smtp.helo=x;; dmarc=pass header.from=x", {kSpf, kDmarc}},
        SloppyCase{"NoneAndMore", "a; none; spf=pass smtp.helo=x", {kSpf}},
        SloppyCase{"NoId", "spf=pass smtp.helo=x; dmarc=pass header.from=x", {kSpf, kDmarc}},
        SloppyCase{"EmptyId", "; spf=pass smtp.helo=x", {kSpf}},
        SloppyCase{"StrangeId", "a b c; spf=pass smtp.helo=x", {kSpf}},
        SloppyCase{"LaterVersion", "a 2; spf=pass smtp.helo=x", {kSpf}},
        SloppyCase{"LaterMethodVersion", "a; dkim/2=pass; spf=pass smtp.helo=x", {kSpf}},
        SloppyCase{"NoResult", "a; dkim; dkim=; =pass; spf=pass smtp.helo=x", {kSpf}},
        SloppyCase{"Junk", "a; spf=pass ! ) ]=[ smtp.helo=x ,", {kSpf}},
        SloppyCase{"JunkGluedOn", "a; spf=pass smtp.helo=x\"y\"", {kSpf}}),
    [](const auto& info) { return std::string(info.param.name); });

/// Whether it is inside or outside of the comment is unclear, so nothing is reported.
TEST(ResultsParser, BelievesNothingThatDoesNotEnd) {
  EXPECT_FALSE(parse_results_leniently("a; spf=pass (x; dmarc=fail"));
  EXPECT_FALSE(parse_results_leniently("a; spf=pass \"x; dmarc=fail"));
  EXPECT_FALSE(parse_results_leniently("a (; spf=pass"));
  EXPECT_TRUE(parse_results_leniently(""));
}

/// The lenient reading gives the same result for well-formed values.
TEST(ResultsParser, IsLenientOnlyWhereTheGrammarIsBent) {
  for (const char* value :
       {"a; none", "example.com;\r\n auth=pass (cram-md5) smtp.auth=sender@example.net",
        "foo.example.net (foobar) 1 (baz);\r\n dkim (Because I like it) / 1 (One yay) = (wait "
        "for it) fail\r\n policy (A dot can go here) . (like that) expired\r\n (this surprised me) "
        "= (as I wasn't expecting it) 1362471462",
        "a; x=y reason=\"q \\\"r\\\"\" header.b=\"a/b\" s.m=\"x y\"@z.z; spf=fail reason=\"x; y\" "
        "smtp.mailfrom=SRS0=a=b=c=d@e",
        "a; x=y header.b = c== header.d=\r\n d"}) {
    const auto strict = parse_results(value);
    const auto lenient = parse_results_leniently(value);
    ASSERT_TRUE(strict && lenient) << value;
    EXPECT_EQ(strict->authserv_id, lenient->authserv_id);
    EXPECT_EQ(strict->results, lenient->results) << value;
  }
}

TEST(ResultsParser, BearsDeepComments) {
  EXPECT_FALSE(parse_results_leniently(std::string(100'000, '(')));
  EXPECT_TRUE(parse_results_leniently(std::string(50'000, '(') + std::string(50'000, ')') + "a"));
  EXPECT_FALSE(parse_results(std::string(100'000, '(')));
  EXPECT_TRUE(parse_results(std::string(50'000, '(') + std::string(50'000, ')') + "a; none"));
}

}  // namespace
}  // namespace relay::auth::results
