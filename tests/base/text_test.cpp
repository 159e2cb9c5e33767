#include "relay/base/text.hpp"

#include <gtest/gtest.h>

namespace relay::base {
namespace {

std::string json(std::string_view text, std::size_t limit = 512) {
  std::string out;
  append_json_string(out, text, limit);
  return out;
}

TEST(Text, FoldsAsciiOnly) {
  EXPECT_EQ(lower("AZaz09-\xC3\x84"), "azaz09-\xC3\x84");
  EXPECT_TRUE(equal_ignoring_case("Mail", "mAIL"));
  EXPECT_FALSE(equal_ignoring_case("mail", "mails"));
  // '@' and '`' differ by the bit that divides cases: they are no letters.
  EXPECT_FALSE(equal_ignoring_case("@", "`"));
  EXPECT_TRUE(starts_with_ignoring_case("SRS0=x", "srs0"));
  EXPECT_FALSE(starts_with_ignoring_case("SR", "srs0"));
}

/// Whatever a client sends, one event is one line, and shows nothing that is not there.
TEST(Text, TrimsBothEndsAndNothingBetween) {
  EXPECT_EQ(trimmed(" \t a b\t "), "a b");
  EXPECT_EQ(trimmed("a"), "a");
  EXPECT_EQ(trimmed(" \t "), "");
  EXPECT_EQ(trimmed(""), "");
  EXPECT_EQ(trimmed("\r\n a\r\n"), "\r\n a\r\n") << "a line end is no blank unless asked for";
  EXPECT_EQ(trimmed("\r\n a\r\n", " \t\r\n"), "a");
}

TEST(Text, KnowsWhiteSpaceOfFields) {
  for (int octet = 0; octet < 256; ++octet) {
    const char c = static_cast<char>(octet);
    EXPECT_EQ(is_wsp(c), c == ' ' || c == '\t') << octet;
    EXPECT_EQ(is_white(c), is_wsp(c) || c == '\r' || c == '\n') << octet;
  }
}

TEST(JsonString, EscapesWhatCouldDeceive) {
  EXPECT_EQ(json("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(json("line\r\nbreak\t"), R"("line\u000d\u000abreak\u0009")");
  EXPECT_EQ(json(std::string_view("\0\x1b\x7f", 3)), R"("\u0000\u001b\u007f")");
  EXPECT_EQ(json("\xC2\x85"), R"("\u0085")");           // next line
  EXPECT_EQ(json("\xE2\x80\xAE"), R"("\u202e")");       // right-to-left override
  EXPECT_EQ(json("\xE2\x80\xA8"), R"("\u2028")");       // line separator
  EXPECT_EQ(json("Ann \xC3\xA4"), "\"Ann \xC3\xA4\"");  // ordinary text stays
  EXPECT_EQ(json("\xF0\x9F\x93\xAC"), "\"\xF0\x9F\x93\xAC\"");
}

TEST(JsonString, FindsWhatMustBeEscapedAtEveryPlace) {
  for (std::size_t at = 0; at < 70; ++at) {
    const std::string before(at, 'a');
    EXPECT_EQ(json(before + '"' + "tail of it"), '"' + before + R"(\"tail of it")");
    EXPECT_EQ(json(before + '\n'), '"' + before + R"(\u000a")");
    EXPECT_EQ(json(before + "\xC3\xA4" + 'b'), '"' + before + "\xC3\xA4" + "b\"");
    EXPECT_EQ(json(before + "b", at), '"' + before + "…\"");
    EXPECT_EQ(json(before, at), '"' + before + '"');
  }
}

TEST(JsonString, NeverHoldsIllFormedUtf8) {
  for (const std::string bad :
       {"\x80", "\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x80", "\xFE"}) {
    const std::string out = json("a" + bad + "b");
    for (const char c : out) EXPECT_LT(static_cast<unsigned char>(c), 0x80) << out;
    EXPECT_NE(out.find("\\u00"), std::string::npos) << out;
  }
}

TEST(JsonString, CutsLongTextWithoutCuttingACharacter) {
  const std::string out = json(std::string(1000, 'x'), 100);
  EXPECT_LT(out.size(), 120U);
  EXPECT_TRUE(out.ends_with("…\"")) << out;
  std::string umlauts;
  for (int i = 0; i < 100; ++i) umlauts += "\xC3\xA4";
  for (std::size_t limit = 50; limit < 60; ++limit) {
    EXPECT_EQ(json(umlauts, limit).find("\\u"), std::string::npos) << limit;
  }
}

TEST(Printable, LeavesNothingThatATerminalObeys) {
  EXPECT_EQ(printable("a\x1b[31mb\x7f"), R"(a\x1b[31mb\x7f)");
  EXPECT_EQ(printable("Ann \xC3\xA4"), "Ann \xC3\xA4");
  EXPECT_EQ(printable("\xC2\x9B"), R"(\u009b)");            // CSI in one character
  EXPECT_EQ(printable("\xE2\x80\xAE"), R"(\u202e)");        // right-to-left override
  EXPECT_EQ(printable("a\r\nb\tc"), R"(a\x0d\x0ab\x09c)");  // one line stays one line
  EXPECT_EQ(printable("\xFFz\xC3"), R"(\xffz\xc3)");
}

TEST(Printable, KeepsLinesWhereLinesAreWanted) {
  EXPECT_EQ(printable("a\r\nb\nc\td", true), "a\nb\nc\td");
  EXPECT_EQ(printable("over\rwritten", true), R"(over\x0dwritten)");
  EXPECT_EQ(printable("\r", true), R"(\x0d)");
}

TEST(Printable, KnowsACharacterThatIsCutOff) {
  EXPECT_EQ(incomplete_utf8(""), 0U);
  EXPECT_EQ(incomplete_utf8("abc"), 0U);
  EXPECT_EQ(incomplete_utf8("\xC3\xA4"), 0U);
  EXPECT_EQ(incomplete_utf8("a\xC3"), 1U);
  EXPECT_EQ(incomplete_utf8("a\xE2\x80"), 2U);
  EXPECT_EQ(incomplete_utf8("a\xF0\x9F\x93"), 3U);
  EXPECT_EQ(incomplete_utf8("\x80\x80\x80\x80"), 0U);  // begins nothing
}

}  // namespace
}  // namespace relay::base
