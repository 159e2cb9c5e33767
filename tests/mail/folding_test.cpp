#include "relay/mail/folding.hpp"

#include <gtest/gtest.h>

#include "relay/mail/address.hpp"

namespace relay::mail {
namespace {

/// One code point as UTF-8.
std::string utf8(char32_t point) {
  std::string text;
  if (point < 0x80) {
    text += static_cast<char>(point);
  } else if (point < 0x800) {
    text += static_cast<char>(0xC0U | (point >> 6U));
    text += static_cast<char>(0x80U | (point & 0x3FU));
  } else if (point < 0x10000) {
    text += static_cast<char>(0xE0U | (point >> 12U));
    text += static_cast<char>(0x80U | ((point >> 6U) & 0x3FU));
    text += static_cast<char>(0x80U | (point & 0x3FU));
  } else {
    text += static_cast<char>(0xF0U | (point >> 18U));
    text += static_cast<char>(0x80U | ((point >> 12U) & 0x3FU));
    text += static_cast<char>(0x80U | ((point >> 6U) & 0x3FU));
    text += static_cast<char>(0x80U | (point & 0x3FU));
  }
  return text;
}

TEST(Folding, MakesNoDifferenceOfCaseAndComposition) {
  const std::string composed_name = "j\u00FCrgen";
  const std::string decomposed_name = "ju\u0308rgen";
  EXPECT_EQ(folded_local_part("J\u00DCRGEN"), composed_name);
  EXPECT_EQ(folded_local_part("JU\u0308RGEN"), composed_name);
  EXPECT_EQ(folded_local_part(decomposed_name), composed_name);
  EXPECT_EQ(folded_local_part("\u0395\u039B\u0395\u039D\u0397"), "\u03B5\u03BB\u03B5\u03BD\u03B7");
  EXPECT_EQ(folded_local_part("\u041E\u041B\u0415\u0413"), "\u043E\u043B\u0435\u0433");
  EXPECT_EQ(folded_local_part("\u1112\u1161\u11AB"), "\uD55C") << "Hangul is composed";
  EXPECT_EQ(folded_local_part("Info.X+Y"), "info.x+y");
  EXPECT_EQ(folded_local_part(""), "");
}

/// Two mailboxes of one host must not become one because a third host finds them alike.
TEST(Folding, LeavesLettersApartThatAreNotOneLetter) {
  EXPECT_NE(folded_local_part("stra\u00DFe"), folded_local_part("strasse"));
  EXPECT_NE(folded_local_part("\uFB01n"), folded_local_part("fin"));
  EXPECT_NE(folded_local_part("\u0430nn"), folded_local_part("ann")) << "Cyrillic and Latin";
}

TEST(Folding, SettlesAtOnceForEveryCodePoint) {
  for (char32_t point = 1; point <= 0x10FFFF; ++point) {
    if (point >= 0xD800 && point <= 0xDFFF) continue;
    const std::string folded = folded_local_part("a" + utf8(point));
    ASSERT_EQ(folded_local_part(folded), folded) << std::hex << static_cast<unsigned>(point);
    ASSERT_TRUE(is_valid_utf8(folded));
  }
}

TEST(Folding, TakesAnyOctets) {
  EXPECT_EQ(folded_local_part("A\xC3"), "a\xC3") << "no UTF-8: ASCII only";
  EXPECT_EQ(composed("A\xC3"), "A\xC3");
}

TEST(Composed, KeepsTheCase) {
  EXPECT_EQ(composed("JU\u0308RGEN-Ab"), "J\u00DCRGEN-Ab");
  EXPECT_EQ(composed("Plain"), "Plain");
}

TEST(Mailbox, FoldsBothPartsDecoded) {
  EXPECT_EQ(Mailbox::parse("\"A b\"@X.Example")->folded(), "a b@x.example");
  EXPECT_EQ(Mailbox::parse("J\u00DCRGEN@x.example")->folded(),
            Mailbox::parse("ju\u0308rgen@x.example")->folded());
  EXPECT_EQ(parse_forward_path("<PostMaster>")->folded(), "postmaster");
  EXPECT_EQ(parse_forward_path("<Ann@X.example>")->folded(), "ann@x.example");
  EXPECT_EQ(ReversePath().folded(), "");
}

}  // namespace
}  // namespace relay::mail
