#include "relay/mail/dsn_text.hpp"

#include <algorithm>
#include <sstream>

#include <gtest/gtest.h>

namespace relay::mail {
namespace {

TEST(DsnText, IsOnePlainLine) {
  EXPECT_EQ(plain_line("a\r\nb\tc\x01\x7F", 100), "a b c??");
  EXPECT_EQ(plain_line("gr\xC3\xBC\xC3\x9F", 100).find_first_not_of("gr?"), std::string::npos);
  EXPECT_EQ(plain_line("a\rb", 100), "a?b");
  EXPECT_EQ(plain_line(std::string(100, 'x'), 10), "xxxxxxxxxx...");
}

/// RFC 6533 §3.
TEST(DsnText, WritesInternationalAddressesInSevenBits) {
  EXPECT_EQ(typed_address("ann+x@y.example"), "rfc822;ann+x@y.example");
  EXPECT_EQ(typed_address("jürgen@y.example"), "utf-8;j\\x{FC}rgen@y.example");
  EXPECT_EQ(typed_address("ü+=\\ x@y.example"),
            "utf-8;\\x{FC}\\x{2B}\\x{3D}\\x{5C}\\x{20}x@y.example");
  EXPECT_EQ(typed_address("€😀@y.example"), "utf-8;\\x{20AC}\\x{1F600}@y.example");
}

TEST(DsnText, WritesTheLongestAddressBeyondAsciiWhole) {
  std::string address;
  for (int i = 0; i < 120; ++i) address += "\u03B1";
  const std::string typed = typed_address(address + "@y.example");
  EXPECT_TRUE(typed.ends_with("\\x{3B1}@y.example")) << typed.size();
  EXPECT_LT(typed.size() + std::string("Original-Recipient: ").size(), 998U);
}

TEST(DsnText, WrapsAtSpaces) {
  std::string words;
  for (int i = 0; i < 60; ++i) words += "word" + std::to_string(i) + ' ';
  const std::string text = wrapped(words, "    ");
  std::istringstream lines(text);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    EXPECT_LE(line.size(), 76U);
    EXPECT_EQ(line.starts_with("    "), count++ > 0);
  }
  EXPECT_GT(count, 4U);
}

TEST(DsnText, WrapsBehindWhatTheFirstLineHasAlready) {
  EXPECT_EQ(wrapped("one two", "  ", 70), "one\r\n  two");
  EXPECT_EQ(wrapped("one two", "  ", 69), "one two");
}

/// RFC 5322 §3.2.2: a field has no line that consists of spaces.
TEST(DsnText, MakesNoLineOfSpaces) {
  EXPECT_EQ(wrapped("  a" + std::string(400, ' ') + "b  ", "    "), "a b");
  EXPECT_EQ(wrapped(std::string(400, ' '), "    "), "");
}

TEST(DsnText, CutsAWordThatNoLineHolds) {
  const std::string text = wrapped(std::string(2000, 'x'), "    ", 60);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 998U - 60U);
  EXPECT_EQ(std::ranges::count(text, 'x'), 2000);
}

/// RFC 6533 §3 makes six octets of one, and a message may come for the longest address there is.
TEST(DsnText, CutsNoAddress) {
  const std::string longest = "ü" + std::string(62, '+') + '@' + std::string(180, 'd') + ".example";
  EXPECT_TRUE(seven_bit_address(longest).ends_with("d.example"));
}

}  // namespace
}  // namespace relay::mail
