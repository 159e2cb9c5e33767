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

TEST(ResultsParser, BearsDeepComments) {
  EXPECT_FALSE(parse_results(std::string(100'000, '(')));
  EXPECT_TRUE(parse_results(std::string(50'000, '(') + std::string(50'000, ')') + "a; none"));
}

}  // namespace
}  // namespace relay::auth::results
