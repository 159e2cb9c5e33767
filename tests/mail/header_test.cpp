#include "relay/mail/header.hpp"

#include <gtest/gtest.h>

namespace relay::mail {
namespace {

TEST(Header, IsReadIntoFieldsThatMakeUpTheBlock) {
  const std::string block =
      "From: a@x.example\r\nX-Long : one\r\n two\r\n\tthree\r\nEmpty:\r\nSubject:no space\r\n";
  const Header header(block);
  ASSERT_EQ(header.fields().size(), 4U);
  EXPECT_EQ(header.fields()[1].name, "X-Long");
  EXPECT_EQ(header.fields()[1].value, " one\r\n two\r\n\tthree\r\n");
  EXPECT_EQ(header.fields()[2].value, "\r\n");
  std::string all;
  for (const auto& field : header.fields()) all += field.raw;
  EXPECT_EQ(all, block);
  EXPECT_EQ(unfolded(header.find("x-long").at(0).value), "one two\tthree");
  EXPECT_EQ(header.preamble(), "");
  EXPECT_EQ(header.judged(), block);
}

TEST(Header, EndsAtTheEmptyLine) {
  EXPECT_EQ(header_length("A: b\r\n\r\nbody"), 6U);
  EXPECT_EQ(header_length("\r\nbody"), 0U);
  EXPECT_FALSE(header_length("A: b\r\n"));
  EXPECT_EQ(Header("A: b\r\n\r\nC: d\r\n").block(), "A: b\r\n");
}

TEST(Header, LeavesOutWhatIsNoField) {
  for (const char* line : {"no colon\r\n", ": no name\r\n", "N\xC3\xA4me: x\r\n", "a b: c\r\n",
                           "nonsense\r\n more\r\n"}) {
    const std::string block = "A: 1\r\n" + std::string(line) + "B: 2\r\n";
    const Header header(block);
    EXPECT_EQ(header.fields().size(), 2U) << line;
    EXPECT_EQ(header.unreadable(), std::vector<std::string_view>{line});
    EXPECT_EQ(readable_fields(block).size(), 2U);
  }
}

/// Lines that belong to no field stand apart, and verification begins behind them.
TEST(Header, BeginsBehindAMailboxLineOrWhatGoesOnWithNothing) {
  for (const char* line : {"From ann@x.example Mon Nov 23 10:00:00 2026\r\n", " begins folded\r\n",
                           "\tX: y\r\n more\r\n", "From ann\r\n goes on\r\n"}) {
    const Header header(line + std::string("From: a@x.example\r\n"));
    EXPECT_EQ(header.preamble(), line);
    EXPECT_EQ(header.judged(), "From: a@x.example\r\n");
    EXPECT_EQ(header.fields().size(), 1U);
    EXPECT_TRUE(header.unreadable().empty());
  }
  EXPECT_EQ(Header("From : a@x.example\r\n").fields().size(), 1U) << "an old form of the field";
  EXPECT_EQ(Header("A: b\r\nFrom ann Mon\r\n").preamble(), "") << "only on top";
}

TEST(MessageId, IsTakenOnlyWhenItIsOneAndSafe) {
  EXPECT_EQ(Header("Message-ID: <1@x.example>\r\n").message_id(), "<1@x.example>");
  EXPECT_EQ(Header("message-id:\r\n <1.2-3@x.example>\r\n").message_id(), "<1.2-3@x.example>");
  for (const char* block :
       {"", "Message-ID: 1@x.example\r\n", "Message-ID: <1@x.example> <2@x.example>\r\n",
        "Message-ID: <1@x.example>\r\nMessage-ID: <2@x.example>\r\n", "Message-ID: <a b@x>\r\n",
        "Message-ID: <1@x.ex\xC3\xA4mple>\r\n", "Message-ID: <>\r\n", "Message-ID: <1@>\r\n"}) {
    EXPECT_EQ(Header(block).message_id(), "") << block;
  }
  EXPECT_EQ(Header("Message-ID: <" + std::string(300, 'x') + "@y>\r\n").message_id(), "");
}

}  // namespace
}  // namespace relay::mail
