#include "relay/smtp/reply_parser.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace relay::smtp {
namespace {

using Parsed = std::expected<std::optional<RemoteReply>, ReplyError>;

Parsed parse(std::string_view octets) {
  ReplyParser parser;
  parser.feed(octets);
  return parser.next();
}

TEST(ReplyParser, ReadsCodeStatusAndTextOfOneReply) {
  const Parsed got = parse("550-5.1.1 No such\r\n550 5.1.1 user here\r\n");
  ASSERT_TRUE(got && *got);
  EXPECT_EQ((*got)->code, 550);
  EXPECT_EQ((*got)->status, (mail::EnhancedStatus{5, 1, 1}));
  EXPECT_EQ((*got)->text(), "5.1.1 No such\n5.1.1 user here");
}

TEST(ReplyParser, GivesTheSameForEverySplit) {
  const std::string wire = "250-mx.example\r\n250-SIZE 1000\r\n250 PIPELINING\r\n354 go\r\n";
  for (std::size_t at = 0; at <= wire.size(); ++at) {
    ReplyParser parser;
    std::vector<int> codes;
    for (const auto& piece : {wire.substr(0, at), wire.substr(at)}) {
      parser.feed(piece);
      for (auto reply = parser.next(); reply && *reply; reply = parser.next()) {
        codes.push_back((*reply)->code);
      }
    }
    EXPECT_EQ(codes, (std::vector{250, 354})) << at;
    EXPECT_TRUE(parser.idle());
  }
}

TEST(ReplyParser, TakesEnhancedCodeFromThisReplyOnly) {
  ReplyParser parser;
  parser.feed("550 5.1.1 gone\r\n450 later\r\n450 5.7.1 class of another code\r\n");
  EXPECT_TRUE((*parser.next())->status);
  EXPECT_FALSE((*parser.next())->status);
  EXPECT_FALSE((*parser.next())->status);
}

TEST(ReplyParser, IsNotIdleInTheMiddleOfAReply) {
  ReplyParser parser;
  EXPECT_TRUE(parser.idle());
  parser.feed("2");
  EXPECT_FALSE(parser.idle());
  parser.feed("50-a\r\n");
  ASSERT_FALSE(*parser.next());
  EXPECT_FALSE(parser.idle());
  parser.feed("250 b\r\n");
  ASSERT_TRUE(*parser.next());
  EXPECT_TRUE(parser.idle());
}

struct BadReply {
  const char* name;
  std::string wire;
  ReplyError error;
};

class ReplyParserRefuses : public testing::TestWithParam<BadReply> {};

TEST_P(ReplyParserRefuses, WhatIsNoReply) {
  ReplyParser parser;
  parser.feed(GetParam().wire);
  Parsed got = parser.next();
  while (got && *got) got = parser.next();
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error(), GetParam().error);
  parser.feed("250 ok\r\n");
  EXPECT_FALSE(parser.next()) << "an error is for good";
}

std::string lines(std::size_t count, std::size_t octets) {
  std::string wire;
  for (std::size_t i = 0; i < count; ++i) wire += "250-" + std::string(octets - 6, 'x') + "\r\n";
  return wire;
}

INSTANTIATE_TEST_SUITE_P(
    Cases, ReplyParserRefuses,
    testing::Values(BadReply{"FourDigits", "2500 ok\r\n", ReplyError::Malformed},
                    BadReply{"NoSpace", "250ok\r\n", ReplyError::Malformed},
                    BadReply{"Http", "HTTP/1.1 400 Bad Request\r\n", ReplyError::Malformed},
                    BadReply{"EmptyLine", "\r\n", ReplyError::Malformed},
                    BadReply{"CodeZero", "000 hm\r\n", ReplyError::CodeRange},
                    BadReply{"Code999", "999 hm\r\n", ReplyError::CodeRange},
                    BadReply{"Code199", "199 hm\r\n", ReplyError::CodeRange},
                    BadReply{"Mixed", "250-a\r\n550 b\r\n", ReplyError::MixedCodes},
                    BadReply{"EndlessLine", std::string(kMaxReplyLineOctets + 1, '2'),
                             ReplyError::LineTooLong},
                    BadReply{"LongLine", "250 " + std::string(kMaxReplyLineOctets, 'x') + "\r\n",
                             ReplyError::LineTooLong},
                    BadReply{"ManyLines", lines(kMaxReplyLines + 1, 10), ReplyError::TooManyLines},
                    BadReply{"Large", lines(33, 2000), ReplyError::TooLarge}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ReplyParser, TakesAReplyOfExactlyTheMostLines) {
  const Parsed got = parse(lines(kMaxReplyLines - 1, 10) + "250 end\r\n");
  ASSERT_TRUE(got && *got);
  EXPECT_EQ((*got)->lines.size(), kMaxReplyLines);
}

TEST(ReplyParser, KeepsAtMostAKilobyteOfText) {
  const Parsed got = parse(lines(20, 200) + "250 end\r\n");
  ASSERT_TRUE(got && *got);
  EXPECT_EQ((*got)->text().size(), kMaxReplyTextOctets);
}

}  // namespace
}  // namespace relay::smtp
