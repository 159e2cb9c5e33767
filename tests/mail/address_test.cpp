#include "relay/mail/address.hpp"

#include <random>

#include <gtest/gtest.h>

namespace relay::mail {
namespace {

using namespace std::string_literals;

std::string parsed(std::string_view text) {
  const auto mailbox = Mailbox::parse(text);
  return mailbox ? mailbox->to_string() : std::string(describe(mailbox.error()));
}

TEST(Mailbox, IsHeldDecodedAndPrintedWithQuotesOnlyWhereNeeded) {
  EXPECT_EQ(Mailbox::parse("\"ann\"@x.example")->local_part(), "ann");
  EXPECT_EQ(parsed("\"ann\"@x.example"), "ann@x.example");
  EXPECT_EQ(parsed("\"a b\"@x.example"), "\"a b\"@x.example");
  EXPECT_EQ(Mailbox::parse("\"a\\\"b\\\\\"@x.example")->local_part(), "a\"b\\");
  EXPECT_EQ(parsed("\"a\\\"b\\\\\"@x.example"), "\"a\\\"b\\\\\"@x.example");
  EXPECT_EQ(parsed("\"a.b\"@x.example"), "a.b@x.example");
  EXPECT_EQ(parsed("\".a\"@x.example"), "\".a\"@x.example");
  EXPECT_EQ(parsed("\"a@b\"@x.example"), "\"a@b\"@x.example");
  // Nobody's name, and an SRS address without it would not lead back.
  EXPECT_FALSE(Mailbox::parse("\"\"@x.example"));
}

TEST(Mailbox, KeepsTheCaseOfTheLocalPartAndComparesDomainsWithout) {
  EXPECT_EQ(parsed("Ann@X.Example"), "Ann@X.Example");
  EXPECT_EQ(Mailbox::parse("a@X.example"), Mailbox::parse("a@x.EXAMPLE"));
  EXPECT_NE(Mailbox::parse("A@x.example"), Mailbox::parse("a@x.example"));
}

/// RFC 6531: UTF-8 in both parts; U-labels become A-labels (IDNA 2008).
TEST(Mailbox, TakesUtf8) {
  const auto mailbox = Mailbox::parse("jürgen@müller.example");
  ASSERT_TRUE(mailbox);
  EXPECT_TRUE(mailbox->is_utf8());
  EXPECT_EQ(mailbox->domain().text(), "xn--mller-kva.example");
  EXPECT_EQ(mailbox->to_string(), "jürgen@xn--mller-kva.example");
  EXPECT_FALSE(Mailbox::parse("ann@müller.example")->is_utf8());
  EXPECT_EQ(Mailbox::parse("a@MÜLLER.example"), Mailbox::parse("a@müller.example"));
  EXPECT_EQ(Mailbox::parse("a\xC3@x.example").error(), AddressError::NotUtf8);
  EXPECT_FALSE(Mailbox::parse("a@x\xC0\xAF.example"));
  EXPECT_FALSE(Mailbox::parse("a@-ü.example"));
}

/// Nothing that could end a line, a command or a header gets into an address.
TEST(Mailbox, NeverHoldsControlOctets) {
  for (int octet = 0; octet < 0x20; ++octet) {
    const std::string one(1, static_cast<char>(octet));
    EXPECT_FALSE(Mailbox::parse("a" + one + "b@x.example")) << octet;
    EXPECT_FALSE(Mailbox::parse("\"a" + one + "b\"@x.example")) << octet;
    EXPECT_FALSE(Mailbox::parse("\"a\\" + one + "b\"@x.example")) << octet;
    EXPECT_FALSE(Mailbox::parse("a@x" + one + ".example")) << octet;
    EXPECT_FALSE(Mailbox::make("a" + one, *Domain::parse("x.example"))) << octet;
  }
  EXPECT_FALSE(Mailbox::parse("a\x7F@x.example"));
}

TEST(Mailbox, KeepsItsLimits) {
  // Longer than the 64 octets every host takes: RFC 5321 §4.5.3.1 asks for no limit where that can
  // be, and the path has one.
  EXPECT_TRUE(Mailbox::parse(std::string(65, 'a') + "@x.example"));
  const std::string longest = std::string(244, 'a') + "@x.example";
  EXPECT_EQ(parsed(longest), longest);
  EXPECT_EQ(parse_reverse_path('<' + longest + '>')->to_string(), longest);
  EXPECT_EQ(Mailbox::parse('a' + longest).error(), AddressError::TooLong);
  std::string domain = "example";
  while (domain.size() < 240) domain = "abcdefg." + domain;
  EXPECT_TRUE(Mailbox::parse("a@" + domain));
  EXPECT_FALSE(Mailbox::parse(std::string(20, 'a') + '@' + domain)) << "path over 256 octets";
  EXPECT_TRUE(Mailbox::parse("a@" + std::string(63, 'x') + ".example"));
  EXPECT_FALSE(Mailbox::parse("a@" + std::string(64, 'x') + ".example"));
}

/// RFC 5321 §4.1.2 has no such Dot-string. Providers gave them out, so they are read; what is sent
/// on is the quoted string that the grammar has for them.
TEST(Mailbox, ReadsDotsAnywhereAndPrintsThemQuoted) {
  EXPECT_EQ(parsed("a..b@x.example"), "\"a..b\"@x.example");
  EXPECT_EQ(parsed("a.@x.example"), "\"a.\"@x.example");
  EXPECT_EQ(parsed(".a@x.example"), "\".a\"@x.example");
  EXPECT_EQ(parsed("...@x.example"), "\"...\"@x.example");
  EXPECT_EQ(Mailbox::parse("a..b@x.example"), Mailbox::parse("\"a..b\"@x.example"));
  EXPECT_EQ(Mailbox::parse("A..B@x.example")->folded(),
            Mailbox::parse("\"a..b\"@X.example")->folded());
  EXPECT_FALSE(Mailbox::parse("a b@x.example")) << "dots alone are forgiven";
  EXPECT_FALSE(Mailbox::parse("a..(b)@x.example"));
  EXPECT_EQ(Mailbox::parse("." + std::string(243, 'a') + "@x.example").error(),
            AddressError::TooLong)
      << "as it is printed, with its quotes";
}

TEST(Mailbox, ReadsADomainWithTheDotOfTheRoot) {
  EXPECT_EQ(parsed("ann@x.example."), "ann@x.example");
  EXPECT_EQ(Mailbox::parse("ann@x.example."), Mailbox::parse("ann@x.example"));
  for (const char* bad : {"ann@x.example..", "ann@.", "ann@", "ann."}) {
    EXPECT_FALSE(Mailbox::parse(bad)) << bad;
  }
}

/// RFC 5321 Appendix C: accepted, and the mail goes to the address behind it.
TEST(Mailbox, ReadsOverASourceRoute) {
  const std::string long_route = "@" + std::string(60, 'a') + ".example,@" + std::string(60, 'b') +
                                 ".example,@" + std::string(60, 'c') + ".example,@" +
                                 std::string(60, 'd') + ".example";
  for (const std::string& route :
       {std::string("@a.example"), std::string("@a.example,@b.example"),
        std::string("@[192.0.2.1],@[IPv6:2001:db8::1]"), std::string("@a.example."), long_route}) {
    EXPECT_EQ(parse_forward_path('<' + route + ":c@x.example>")->to_string(), "c@x.example");
    EXPECT_EQ(parse_reverse_path('<' + route + ":c@x.example>")->to_string(), "c@x.example");
  }
  for (const char* bad :
       {"<@a.example>", "<@a.example:>", "<@:c@x.example>", "<@a.example,c@x.example>",
        "<@a.example,:c@x.example>", "<@a.example,@b.example>", "<@a b:c@x.example>",
        "<@a.example:@b.example:c@x.example>", "<@[IPv6:::1:c@x.example>"}) {
    EXPECT_FALSE(parse_forward_path(bad)) << bad;
    EXPECT_FALSE(parse_reverse_path(bad)) << bad;
  }
}

/// A printed address parses as the same address, for every possible local part.
TEST(Mailbox, PrintAndParseAreInverse) {
  std::mt19937 random(42);
  const std::string_view alphabet = "abzAZ019!#$%&'*+-/=?^_`{|}~.. @\"\\,;:<>[]()";
  for (int i = 0; i < 50'000; ++i) {
    std::string local;
    for (unsigned n = random() % 30; n > 0; --n) local += alphabet[random() % alphabet.size()];
    if (i % 7 == 0) local += "ü";
    const auto made = Mailbox::make(local, *Domain::parse("x.example"));
    if (!made) continue;
    const auto again = Mailbox::parse(made->to_string());
    ASSERT_TRUE(again) << made->to_string();
    EXPECT_EQ(again->local_part(), local);
    EXPECT_EQ(again->to_string(), made->to_string());
  }
}

TEST(Domain, TakesNamesAndLiterals) {
  for (const char* good : {"x.example", "X", "a-b.example", "_dmarc.example", "1.2.example",
                           "[192.0.2.1]", "[IPv6:2001:db8::1]", "[ipv6:::1]"}) {
    EXPECT_TRUE(Domain::parse(good)) << good;
  }
  for (const char* bad :
       {"", ".", "x.", ".x", "a..b", "-a.example", "a-.example", "a b.example", "a/b", "[192.0.2]",
        "[IPv6:2001:db8::1", "[IPv6:fe80::1%eth0]", "[x.example]", "[]", "[300.0.0.1]", "a@b"}) {
    EXPECT_FALSE(Domain::parse(bad)) << bad;
  }
  for (const std::string& bad : {"[IPv6:::\0x]"s, "[192.0.2.1\0x]"s, "[IPv6:::\0\r\n]"s}) {
    EXPECT_FALSE(Domain::parse(bad)) << "the system's reader stops at a NUL";
  }
  EXPECT_FALSE(Domain::parse("[192.0.2.1]")->is_dotted());
  EXPECT_FALSE(Domain::parse("localhost")->is_dotted());
}

TEST(Paths, HaveTheirBracketsAndNothingElse) {
  EXPECT_TRUE(parse_reverse_path("<>")->is_null());
  EXPECT_EQ(parse_reverse_path("<a@x.example>")->to_string(), "a@x.example");
  EXPECT_TRUE(parse_forward_path("<PostMaster>")->is_bare_postmaster());
  for (const char* bad : {"", "<", ">", "a@x.example", "<a@x.example", "<a@x.example> ",
                          "<<a@x.example>>", "<a@x.example>x", "<a>", "< a@x.example>",
                          "<a@x.example >", "<\"a@x.example>", "<\"a\"b@x.example>"}) {
    EXPECT_FALSE(parse_reverse_path(bad)) << bad;
    EXPECT_FALSE(parse_forward_path(bad)) << bad;
  }
  EXPECT_FALSE(parse_forward_path("<>")) << "nobody receives as the null sender";
}

TEST(Utf8, IsCheckedToTheLetter) {
  EXPECT_TRUE(is_valid_utf8("aä€😀"));
  for (const char* bad : {"\x80", "\xC3", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80",
                          "\xF0\x80\x80\xAF", "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80"}) {
    EXPECT_FALSE(is_valid_utf8(bad));
  }
}

TEST(Mailbox, IsAsLongAsItIsPrinted) {
  // 63 octets of UTF-8 each, and more than that as ASCII labels.
  std::string label = "h\u00fc";
  label += std::string(50, 'h');
  std::string domain = label;
  for (int i = 0; i < 3; ++i) domain += '.' + label;
  const auto whole = Mailbox::parse(std::string(10, 'x') + '@' + domain);
  ASSERT_TRUE(whole);
  EXPECT_TRUE(Mailbox::parse(whole->to_string()));
  const auto longer = Mailbox::parse(std::string(34, 'x') + '@' + domain);
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error(), AddressError::TooLong);
}

}  // namespace
}  // namespace relay::mail
