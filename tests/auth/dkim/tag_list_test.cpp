#include "relay/auth/dkim/tag_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/auth/dkim/base64.hpp"

namespace relay::auth::dkim {
namespace {

using testing::ElementsAre;
using namespace std::string_literals;

std::string shown(const std::vector<Tag>& tags) {
  std::string text;
  for (const Tag& tag : tags) {
    text += '[';
    text += tag.name;
    text += '=';
    text += tag.value;
    text += ']';
  }
  return text;
}

struct GoodList {
  const char* name;
  const char* text;
  const char* tags;
};

class TagList : public testing::TestWithParam<GoodList> {};

TEST_P(TagList, IsReadAsRfc6376Says) {
  const auto tags = parse_tag_list(GetParam().text);
  ASSERT_TRUE(tags) << describe(tags.error());
  EXPECT_EQ(shown(*tags), GetParam().tags);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, TagList,
    testing::Values(GoodList{"One", "a=b", "[a=b]"}, GoodList{"Several", "a=b;c=d", "[a=b][c=d]"},
                    GoodList{"SemicolonAtTheEnd", "a=b;c=d;", "[a=b][c=d]"},
                    GoodList{"SpaceBehindTheLastSemicolon", "a=b; \r\n ", "[a=b]"},
                    GoodList{"SpaceEverywhere", " a = b ; c\t=\r\n d ", "[a=b][c=d]"},
                    GoodList{"FoldingInsideAValue", "a=b\r\n\tc", "[a=b\r\n\tc]"},
                    GoodList{"CrlfOfAField", "a=b\r\n", "[a=b]"},
                    GoodList{"EmptyValue", "a=;b=", "[a=][b=]"},
                    GoodList{"EqualsInAValue", "b=Zg==", "[b=Zg==]"},
                    GoodList{"NamesHaveCase", "a=b;A=c", "[a=b][A=c]"},
                    GoodList{"NamesOfLettersDigitsUnderscores", "aB_9=c", "[aB_9=c]"},
                    GoodList{"UnicodeInAValue", "i=\xC3\xA4@x", "[i=\xC3\xA4@x]"}),
    [](const auto& info) { return std::string(info.param.name); });

struct BadList {
  const char* name;
  std::string text;
  TagError error;
};

class BadTagList : public testing::TestWithParam<BadList> {};

TEST_P(BadTagList, IsRefused) {
  const auto tags = parse_tag_list(GetParam().text);
  ASSERT_FALSE(tags) << shown(*tags);
  EXPECT_EQ(tags.error(), GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, BadTagList,
    testing::Values(BadList{"Nothing", "", TagError::Empty},
                    BadList{"WhiteSpace", " \r\n ", TagError::Empty},
                    BadList{"ASemicolon", ";", TagError::BadName},
                    BadList{"TwoSemicolons", "a=b;;c=d", TagError::BadName},
                    BadList{"TwoSemicolonsAtTheEnd", "a=b;;", TagError::BadName},
                    BadList{"NoEquals", "a=b;c", TagError::NoEquals},
                    BadList{"NoName", "=b", TagError::BadName},
                    BadList{"NameFromADigit", "1a=b", TagError::BadName},
                    BadList{"NameWithHyphen", "a-b=c", TagError::BadName},
                    BadList{"NameWithSpace", "a b=c", TagError::BadName},
                    BadList{"Twice", "a=b;c=d;a=b", TagError::Duplicate},
                    BadList{"Nul", "a=b\0c"s, TagError::BadValue},
                    BadList{"Control", "a=b\x01", TagError::BadValue},
                    BadList{"Delete", "a=b\x7F", TagError::BadValue},
                    BadList{"BareCr", "a=b\rc", TagError::BadValue},
                    BadList{"BareLf", "a=b\nc", TagError::BadValue},
                    BadList{"LineEndThatFoldsNothing", "a=b\r\nc=d", TagError::BadValue},
                    BadList{"TwoLineEnds", "a=b\r\n\r\n", TagError::BadValue}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(TagListLimit, HoldsAtAHundredTags) {
  const auto list = [](int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += "t" + std::to_string(i) + "=;";
    return text;
  };
  EXPECT_EQ(parse_tag_list(list(100))->size(), 100U);
  const std::string over = list(101);
  EXPECT_EQ(parse_tag_list(over).error(), TagError::TooMany);
}

TEST(FindTag, TellsAbsentFromEmpty) {
  const auto tags = parse_tag_list("p=; t=y");
  ASSERT_TRUE(tags);
  EXPECT_EQ(find_tag(*tags, "p"), "");
  EXPECT_EQ(find_tag(*tags, "t"), "y");
  EXPECT_EQ(find_tag(*tags, "T"), std::nullopt);
  EXPECT_EQ(find_tag(*tags, "q"), std::nullopt);
}

TEST(SplitValue, TrimsItsParts) {
  EXPECT_THAT(split_value("From : To:\r\n Subject", ':'), ElementsAre("From", "To", "Subject"));
  EXPECT_THAT(split_value("", ':'), ElementsAre(""));
  EXPECT_THAT(split_value("a::b", ':'), ElementsAre("a", "", "b"));
}

TEST(Base64, IsTheStandardOne) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xFB\xFF"), "+/8=");
  EXPECT_EQ(base64(std::string(300, 'x')).find('\n'), std::string::npos);
}

TEST(Base64, IsReadWithoutItsWhiteSpace) {
  EXPECT_EQ(decode_base64("Zg=="), "f");
  EXPECT_EQ(decode_base64(" Zm9v\r\n\tYm Fy "), "foobar");
  EXPECT_EQ(decode_base64("+/8="), "\xFB\xFF");
  for (std::size_t size = 1; size < 100; ++size) {
    const std::string octets(size, static_cast<char>(size * 7));
    EXPECT_EQ(decode_base64(base64(octets)), octets);
  }
}

TEST(Base64, RefusesJunk) {
  for (const char* junk : {"", " ", "Z", "Zg", "Zg=", "Zg===", "Z===", "====", "=Zg=", "Zg==Zg==",
                           "Zm9v-A==", "Zm_v", "Zm9v!", "Zm\x80v", "Zm9vYmF=y"}) {
    EXPECT_EQ(decode_base64(junk), std::nullopt) << junk;
  }
}

}  // namespace
}  // namespace relay::auth::dkim
