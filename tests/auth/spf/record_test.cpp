#include "relay/auth/spf/record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay::auth::spf {
namespace {

using boost::asio::ip::make_address;
using mail::SpfResult;
using testing::HasSubstr;

Directive only_directive(const std::string& term) {
  auto record = parse_record("v=spf1 " + term);
  if (!record || record->directives.size() != 1) {
    ADD_FAILURE() << term << ": " << (record ? "not one directive" : record.error());
    return {};
  }
  return std::move(record->directives.front());
}

struct GoodTerm {
  const char* term;
  Mechanism mechanism;
  SpfResult result = SpfResult::Pass;
  int v4 = 32;
  int v6 = 128;
  bool domain = false;
};

class SpfGoodTerm : public testing::TestWithParam<GoodTerm> {};

TEST_P(SpfGoodTerm, IsReadAsRfc7208Section12Says) {
  const auto& expected = GetParam();
  const Directive directive = only_directive(expected.term);
  EXPECT_EQ(directive.mechanism, expected.mechanism);
  EXPECT_EQ(directive.result, expected.result);
  EXPECT_EQ(directive.prefix.v4, expected.v4);
  EXPECT_EQ(directive.prefix.v6, expected.v6);
  EXPECT_EQ(directive.domain.has_value(), expected.domain);
  EXPECT_EQ(directive.text, expected.term);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, SpfGoodTerm,
    testing::Values(
        GoodTerm{"all", Mechanism::All}, GoodTerm{"-all", Mechanism::All, SpfResult::Fail},
        GoodTerm{"~ALL", Mechanism::All, SpfResult::SoftFail},
        GoodTerm{"?all", Mechanism::All, SpfResult::Neutral},
        GoodTerm{"+aLl", Mechanism::All, SpfResult::Pass}, GoodTerm{"a", Mechanism::A},
        GoodTerm{"A/24", Mechanism::A, SpfResult::Pass, 24},
        GoodTerm{"a//64", Mechanism::A, SpfResult::Pass, 32, 64},
        GoodTerm{"a/0//0", Mechanism::A, SpfResult::Pass, 0, 0},
        GoodTerm{"a/32//128", Mechanism::A},
        GoodTerm{"a:example.org", Mechanism::A, SpfResult::Pass, 32, 128, true},
        GoodTerm{"a:example.org.", Mechanism::A, SpfResult::Pass, 32, 128, true},
        GoodTerm{"a:example.org/8//9", Mechanism::A, SpfResult::Pass, 8, 9, true},
        GoodTerm{"a:%{d}/24", Mechanism::A, SpfResult::Pass, 24, 128, true},
        GoodTerm{"a:a-b.x--1", Mechanism::A, SpfResult::Pass, 32, 128, true},
        GoodTerm{"mx:foo:bar/baz.example.com", Mechanism::Mx, SpfResult::Pass, 32, 128, true},
        GoodTerm{"mx:x.example/99.example/1", Mechanism::Mx, SpfResult::Pass, 1, 128, true},
        GoodTerm{"mx", Mechanism::Mx}, GoodTerm{"-ptr", Mechanism::Ptr, SpfResult::Fail},
        GoodTerm{"ptr:example.org", Mechanism::Ptr, SpfResult::Pass, 32, 128, true},
        GoodTerm{"ip4:192.0.2.1", Mechanism::Ip4},
        GoodTerm{"ip4:255.0.0.0/8", Mechanism::Ip4, SpfResult::Pass, 8},
        GoodTerm{"ip6:2001:db8::/32", Mechanism::Ip6, SpfResult::Pass, 32, 32},
        GoodTerm{"ip6:::ffff:192.0.2.1", Mechanism::Ip6}, GoodTerm{"ip6:::", Mechanism::Ip6},
        GoodTerm{"exists:%{ir}.sbl.example.org", Mechanism::Exists, SpfResult::Pass, 32, 128, true},
        GoodTerm{"include:example.org", Mechanism::Include, SpfResult::Pass, 32, 128, true}));

class SpfBadTerm : public testing::TestWithParam<const char*> {};

TEST_P(SpfBadTerm, SpoilsTheRecord) {
  const auto record = parse_record(std::string("v=spf1 ") + GetParam());
  ASSERT_FALSE(record) << GetParam();
  for (const char c : record.error()) EXPECT_TRUE(c >= ' ' && c < '\x7f') << record.error();
}

INSTANTIATE_TEST_SUITE_P(
    Cases, SpfBadTerm,
    testing::Values(
        "all.", "all:foo", "all/8", "-all=x", "--all", "+-all", "alle", "-", "=", "=all", ":a",
        "1a=x", "include", "include:", "include:example.org/24", "include:museum", "include:.",
        "exists", "exists:", "exists/24", "a:", "a/", "a//", "a/33", "a//129", "a/024", "a/00",
        "a/1/2", "a//1/2", "a/24//", "a:example.org/", "a:example.org:8080", "a:museum",
        "a:museum.", "a:example.123", "a:example.-com", "a:example.com-", "a:example.org..",
        "a:111.222.33.44", "a=example.org:x y", "mx:", "mx:abc.123", "mx/99999999999999999999",
        "ptr/0", "ptr:", "ptr:example.org/24", "ip4", "ip4:", "ip4", "ip4:1.2.3", "ip4:1.2.3.4.5",
        "ip4:1.2.3.256", "ip4:01.2.3.4", "ip4:1.2.3.4/33", "ip4:1.2.3.4/", "ip4:1.2.3.4//32",
        "ip4:1.2.3.4/032", "ip4:1.2.3.4:8080", "ip4:example.org", "ip4/1.2.3.4", "ip4:2001:db8::1",
        "ip6", "ip6:", "ip6:1.2.3.4", "ip6:2001:db8::1/129", "ip6:2001::db8::1", "ip6:fe80::1%eth0",
        "ip6:g::", "ip6:::1//64", "foo", "foo:bar", "exp=", "exp=museum",
        "exp=a.example exp=b.example", "exp=%{r}.example.org",
        "redirect=", "redirect=a.example redirect=a.example", "redirect=example.org/24",
        "-redirect=example.org", "foo=%abc", "foo=%{x}", "foo=%{d", "foo=%", "a:%{}.example.org",
        "a:%{d0}.example.org", "a:%{dr2}.example.org", "a:%{d!}.example.org", "a:%(d).example.org",
        "a:%{c}.example.org", "a:%{t}.example.org", "a:\xc3\xa9.example.org",
        "\x80"
        "a:example.org",
        "a:ctrl\rptr", "a\tmx", "a:ex\x01.example.org", "foo=\x7f", "v=spf1:x y"));

TEST(SpfRecord, TakesManySpacesAndNoTermsAtAll) {
  EXPECT_TRUE(parse_record("v=spf1"));
  EXPECT_TRUE(parse_record("v=spf1    "));
  EXPECT_EQ(parse_record("V=SPF1  a   -all  ")->directives.size(), 2U);
  EXPECT_FALSE(parse_record("v=spf10 -all"));
}

TEST(SpfRecord, KeepsModifiersApartFromDirectivesWhereverTheyStand) {
  const auto record =
      parse_record("v=spf1 Redirect=r.example.org a foo=%{c}/x EXP=e.example.org x-y_z.1= -all");
  ASSERT_TRUE(record) << record.error();
  EXPECT_EQ(record->directives.size(), 2U);
  EXPECT_TRUE(record->redirect);
  EXPECT_TRUE(record->explanation);
}

TEST(SpfRecord, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(parse_record("v=spf1 a mx:museum -all").error(),
            R"(a domain that does not end in a top-level label in "mx:museum")");
  EXPECT_EQ(parse_record("v=spf1 ipv4:192.0.2.1").error(),
            R"(an unknown mechanism in "ipv4:192.0.2.1")");
}

// The error quotes the record, but nothing of it can break a line or a terminal.
TEST(SpfRecord, QuotesHostileTextHarmlessly) {
  const auto error = parse_record("v=spf1 \x1b[31m\r\n\x80" + std::string(4000, 'x')).error();
  EXPECT_THAT(error, HasSubstr("\"?[31m???xxx"));
  EXPECT_LT(error.size(), 200U);
}

// RFC 7208 §4.5.
TEST(SpfRecord, IsSelectedByItsExactVersion) {
  EXPECT_TRUE(is_record("v=spf1"));
  EXPECT_TRUE(is_record("V=Spf1 x"));
  for (const char* other :
       {"", "v=spf", "v=spf10", "v=spf1\t-all", "v=spf1;", " v=spf1", "v=spf2.0"}) {
    EXPECT_FALSE(is_record(other)) << other;
  }
  EXPECT_EQ(select_record({}).error(), NotOne::NoRecord);
  EXPECT_EQ(select_record({"x", "v=spf10"}).error(), NotOne::NoRecord);
  EXPECT_EQ(select_record({"v=spf1", "x", "V=spf1 -all"}).error(), NotOne::SeveralRecords);
  EXPECT_EQ(**select_record({"\x80", "v=spf1 a", "v=spf10"}), "v=spf1 a");
}

TEST(SpfNetwork, ComparesLeadingBitsWithinAFamily) {
  const auto in = [](const char* client, const char* network, int v4, int v6) {
    return within(make_address(client), make_address(network),
                  {static_cast<std::uint8_t>(v4), static_cast<std::uint8_t>(v6)});
  };
  EXPECT_TRUE(in("192.0.2.1", "192.0.2.1", 32, 128));
  EXPECT_FALSE(in("192.0.2.1", "192.0.2.0", 32, 128));
  EXPECT_TRUE(in("192.0.2.1", "192.0.2.0", 31, 0));
  EXPECT_FALSE(in("192.0.2.2", "192.0.2.0", 31, 0));
  EXPECT_TRUE(in("192.0.255.255", "192.0.128.0", 17, 0));
  EXPECT_FALSE(in("192.0.127.255", "192.0.128.0", 17, 0));
  EXPECT_TRUE(in("203.0.113.1", "192.0.2.1", 0, 128));
  EXPECT_TRUE(in("2001:db8::1", "2001:db8::", 0, 127));
  EXPECT_FALSE(in("2001:db8::2", "2001:db8::", 0, 127));
  EXPECT_TRUE(in("2001:db8:8000::", "2001:db8:ffff::", 0, 33));
  EXPECT_FALSE(in("192.0.2.1", "2001:db8::", 0, 0));
  EXPECT_FALSE(in("2001:db8::", "192.0.2.1", 0, 0));
}

/// A record of 64 KiB may come, and parts of macros take more room than their text.
TEST(SpfRecord, RefusesATermLongerThanAnyName) {
  const auto record = [](std::size_t octets) {
    const std::string name(octets - std::string_view("exists:.y").size(), 'x');
    return parse_record("v=spf1 exists:" + name + ".y ip4:192.0.2.1 -all");
  };
  EXPECT_TRUE(record(kMaxTermOctets));
  const auto refused = record(kMaxTermOctets + 1);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error(), HasSubstr("too many octets"));
}

}  // namespace
}  // namespace relay::auth::spf
