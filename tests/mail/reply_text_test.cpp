#include "relay/mail/reply_text.hpp"

#include <gtest/gtest.h>

namespace relay::mail {
namespace {

DeliveryAttempt said(int code, std::string text, Stage stage = Stage::RcptTo) {
  DeliveryAttempt attempt;
  attempt.stage = stage;
  attempt.code = code;
  attempt.text = std::move(text);
  return attempt;
}

TEST(ReplyText, TakesEachLineApart) {
  const auto attempt = said(550, "5.1.1  no such user\n5.1.1 try another\nplain");
  const auto lines = reply_lines(attempt);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].enhanced, "5.1.1");
  EXPECT_EQ(lines[0].words, "no such user");
  EXPECT_EQ(lines[1].words, "try another");
  EXPECT_EQ(lines[2].enhanced, "");
  EXPECT_EQ(lines[2].words, "plain");
  EXPECT_EQ(words_of(attempt), "no such user try another plain");
}

/// RFC 2034 §4: its class is that of the reply code.
TEST(ReplyText, TakesAnEnhancedCodeThatDoesNotFitForWords) {
  EXPECT_EQ(words_of(said(450, "5.1.1 no")), "5.1.1 no");
  EXPECT_EQ(words_of(said(550, "5.1.1")), "");
  EXPECT_EQ(words_of(said(550, "5.1.1.1 no")), "5.1.1.1 no");
}

TEST(ReplyText, LeavesOutLinesThatSayNothing) {
  EXPECT_TRUE(reply_lines(said(550, "")).empty());
  EXPECT_TRUE(reply_lines(said(550, " \n\r\n\t")).empty());
  EXPECT_EQ(reply_lines(said(550, "\na\n\nb\n")).size(), 2U);
  EXPECT_EQ(reply_lines(said(550, "5.1.1")).size(), 1U);
}

TEST(ReplyText, OfOursIsNoReply) {
  const auto null_mx = said(556, "5.1.10 looks like a code", Stage::Dns);
  EXPECT_FALSE(is_remote_reply(null_mx));
  EXPECT_EQ(words_of(null_mx), "5.1.10 looks like a code");
  EXPECT_FALSE(is_remote_reply(said(0, "connection refused", Stage::Connect)));
  EXPECT_TRUE(is_remote_reply(said(421, "too many", Stage::Banner)));
}

}  // namespace
}  // namespace relay::mail
