#include "relay/app/srs_verbs.hpp"

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay::app {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kNow = 1'795'500'000;
constexpr std::int64_t kDay = 86'400;

srs::Rewriter rewriter(const char* secret = "q8Zr1x0PvYbN3mKd7TgWc5Ls9HfJe2Ua") {
  return {*srs::KeyRing::make({{"2026b", secret, {}}}), "srs.example.org"};
}

struct Answer {
  int exit = 0;
  std::string text;
};

Answer ask(const std::string& action, const std::string& address, std::int64_t now = kNow,
           bool json = false) {
  Answer answer;
  answer.exit = srs_line(action, address, rewriter(), now, json, answer.text);
  return answer;
}

std::string made(const std::string& sender = "Ann@sender.example") {
  return ask("encode", sender).text;
}

TEST(SrsVerbs, EncodeAndDecodeAreInverse) {
  const std::string address = made();
  EXPECT_THAT(address, testing::StartsWith("SRS0="));
  const Answer back = ask("decode", address);
  EXPECT_EQ(back.exit, 0);
  EXPECT_EQ(back.text, "Ann@sender.example");
}

TEST(SrsVerbs, ASenderThatDoesNotFitIsStored) {
  EXPECT_THAT(made(std::string(60, 'a') + "@sender.example"), testing::StartsWith("srst="));
  const auto json =
      boost::json::parse(ask("encode", std::string(60, 'a') + "@sender.example", kNow, true).text);
  EXPECT_TRUE(json.at("stored").as_bool());
}

TEST(SrsVerbs, EachRefusalHasItsExitCode) {
  const std::string address = made();
  std::string forged = address;
  forged.replace(forged.find("Ann"), 3, "Bob");
  EXPECT_EQ(ask("decode", forged).exit, kSrsForged);
  EXPECT_EQ(ask("decode", address, kNow + 30 * kDay).exit, kSrsExpired);
  EXPECT_EQ(ask("decode", address, kNow - 3 * kDay).exit, kSrsExpired);
  EXPECT_EQ(ask("decode", "SRS0=short@srs.example.org").exit, kSrsMalformed);
  EXPECT_EQ(ask("decode", "no address").exit, kSrsMalformed);
  EXPECT_EQ(ask("encode", "@").exit, kSrsMalformed);
}

/// Family, hop, age, key, verdict, recovered address, reason.
TEST(SrsExplain, ExplainSaysEverything) {
  const Answer answer = ask("explain", made(), kNow + 2 * kDay);
  EXPECT_EQ(answer.exit, 0);
  for (const char* part : {"valid", "SRS0", "strong", "2026b", "2 days", "Ann@sender.example"}) {
    EXPECT_THAT(answer.text, HasSubstr(part));
  }
  const auto json = boost::json::parse(ask("explain", made(), kNow + 2 * kDay, true).text);
  EXPECT_EQ(json.at("verdict").as_string(), "valid");
  EXPECT_EQ(json.at("family").as_string(), "strong");
  EXPECT_EQ(json.at("hop").as_int64(), 0);
  EXPECT_EQ(json.at("age_days").as_int64(), 2);
  EXPECT_EQ(json.at("key").as_string(), "2026b");
  EXPECT_EQ(json.at("recovered").as_string(), "Ann@sender.example");
}

TEST(SrsExplain, ExplainsForeignAndForgedOnes) {
  EXPECT_THAT(ask("explain", "SRS0=ab=cd=e.example=f@elsewhere.example").text,
              HasSubstr("foreign"));
  std::string forged = made();
  forged.replace(forged.find("Ann"), 3, "Bob");
  EXPECT_THAT(ask("explain", forged).text, HasSubstr("forged"));
  EXPECT_THAT(ask("explain", "ann@sender.example").text, HasSubstr("not SRS"));
}

TEST(SrsVerbs, TheDigestHidesTheAddressAndDependsOnTheSecret) {
  const Answer one = ask("digest", "Ann@sender.example");
  EXPECT_EQ(one.text, ask("digest", "ann@Sender.EXAMPLE").text);
  EXPECT_EQ(one.text.find("ann"), std::string::npos);
  std::string other;
  srs_line("digest", "ann@sender.example", rewriter("another secret of enough octets"), kNow, false,
           other);
  EXPECT_NE(one.text, other);
}

}  // namespace
}  // namespace relay::app
