// What `verify` shows of answers that hold anything.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/app/verify.hpp"

namespace relay::app {
namespace {

using testing::HasSubstr;
using testing::Not;

Verification with(std::string question, std::string record) {
  Verification verification;
  verification.answers.push_back({std::move(question), {std::move(record)}, ""});
  return verification;
}

/// RFC 8259 §8.1: UTF-8, whatever octets a TXT record has.
TEST(VerifyReport, IsJsonWhateverTheAnswersHold) {
  std::string every;
  for (int octet = 0; octet < 256; ++octet) every += static_cast<char>(octet);
  for (const std::string& octets : {every,
                                    std::string("SKI OG SJ\x8E"
                                                "FLY"),
                                    std::string("\xC3"), std::string("\xED\xA0\x80")}) {
    const std::string text = boost::json::serialize(to_json(with("TXT " + octets, octets)));
    boost::system::error_code error;
    boost::json::parse(text, error);  // refuses what is no UTF-8
    EXPECT_FALSE(error) << error.message();
    for (const char c : text) EXPECT_TRUE(c >= ' ') << static_cast<int>(c);
  }
}

TEST(VerifyReport, ShowsTextAsItIsAndOddOctetsAsNumbers) {
  const auto object = to_json(with("TXT x.example", "K\xC3\xA4se \x8E \x1B \xC2\x9B a\nb"));
  const auto& shown = object.at("dns").at(0).at("records").at(0).as_string();
  EXPECT_EQ(std::string_view(shown), "K\xC3\xA4se \\x8e \\x1b \\u009b a\\x0ab");
}

/// A terminal obeys ESC and, in UTF-8 or as single octets, C1 controls.
TEST(VerifyReport, ObeysNoControls) {
  const std::string text = to_text(with("TXT a\x1B[2J.example",
                                        "one\ntwo \x1B[2J \x9B"
                                        "2J \xC2\x9B"
                                        "2J \xE2\x80\xAE"));
  EXPECT_THAT(text, HasSubstr("      one\\x0atwo"));
  for (const char* control : {"\x1B", "\x9B", "\xC2", "\xE2\x80\xAE"}) {
    EXPECT_THAT(text, Not(HasSubstr(control)));
  }
}

}  // namespace
}  // namespace relay::app
