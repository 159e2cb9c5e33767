#include "relay/mail/header.hpp"

#include <gtest/gtest.h>

namespace relay::mail {
namespace {

TEST(Header, SplitsIntoFieldsThatMakeUpTheBlock) {
  const std::string block =
      "From: a@x.example\r\nX-Long : one\r\n two\r\n\tthree\r\nEmpty:\r\nSubject:no space\r\n";
  const auto fields = split_header(block);
  ASSERT_TRUE(fields);
  ASSERT_EQ(fields->size(), 4U);
  EXPECT_EQ((*fields)[1].name, "X-Long");
  EXPECT_EQ((*fields)[1].value, " one\r\n two\r\n\tthree\r\n");
  EXPECT_EQ((*fields)[2].value, "\r\n");
  std::string all;
  for (const auto& field : *fields) all += field.raw;
  EXPECT_EQ(all, block);
  EXPECT_EQ(unfolded((*fields)[1].value), "one two\tthree");
}

TEST(Header, EndsAtTheEmptyLine) {
  EXPECT_EQ(header_length("A: b\r\n\r\nbody"), 6U);
  EXPECT_EQ(header_length("\r\nbody"), 0U);
  EXPECT_FALSE(header_length("A: b\r\n"));
  EXPECT_EQ(split_header("A: b\r\n\r\nC: d\r\n")->size(), 1U);
}

TEST(Header, RefusesWhatIsNoneOrTooMuch) {
  EXPECT_EQ(split_header("no colon\r\n").error(), HeaderError::Malformed);
  EXPECT_EQ(split_header(" begins folded\r\n").error(), HeaderError::Malformed);
  EXPECT_EQ(split_header(": no name\r\n").error(), HeaderError::Malformed);
  EXPECT_EQ(split_header("N\xC3\xA4me: x\r\n").error(), HeaderError::Malformed);
  std::string many;
  for (std::size_t i = 0; i <= kMaxHeaderFields; ++i) many += "A:\r\n";
  EXPECT_EQ(split_header(many).error(), HeaderError::TooManyFields);
  EXPECT_EQ(split_header("A:" + std::string(kMaxHeaderOctets, 'x') + "\r\n").error(),
            HeaderError::TooLarge);
  EXPECT_EQ(readable_fields("A: 1\r\nnonsense\r\nB: 2\r\n").size(), 2U);
  const auto rest = unreadable_lines("A: 1\r\nnonsense\r\n more\r\nB: 2\r\n");
  EXPECT_EQ(rest, std::vector<std::string_view>{"nonsense\r\n more\r\n"});
}

TEST(MessageId, IsTakenOnlyWhenItIsOneAndSafe) {
  EXPECT_EQ(message_id_of("Message-ID: <1@x.example>\r\n"), "<1@x.example>");
  EXPECT_EQ(message_id_of("message-id:\r\n <1.2-3@x.example>\r\n"), "<1.2-3@x.example>");
  for (const char* block :
       {"", "Message-ID: 1@x.example\r\n", "Message-ID: <1@x.example> <2@x.example>\r\n",
        "Message-ID: <1@x.example>\r\nMessage-ID: <2@x.example>\r\n", "Message-ID: <a b@x>\r\n",
        "Message-ID: <1@x.ex\xC3\xA4mple>\r\n", "Message-ID: <>\r\n", "Message-ID: <1@>\r\n"}) {
    EXPECT_EQ(message_id_of(block), "") << block;
  }
  EXPECT_EQ(message_id_of("Message-ID: <" + std::string(300, 'x') + "@y>\r\n"), "");
}

}  // namespace
}  // namespace relay::mail
