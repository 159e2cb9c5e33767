#include "relay/auth/spf/macro.hpp"

#include <gtest/gtest.h>

namespace relay::auth::spf {
namespace {

using boost::asio::ip::make_address;

MacroValues values() {
  return {.local_part = "strong-bad",
          .sender_domain = "email.example.com",
          .domain = "email.example.com",
          .client = make_address("192.0.2.3"),
          .helo = "mx.example.org",
          .receiver = "relay.example.net",
          .now = base::WallTime(std::chrono::milliseconds(1'795'489'200'999)),
          .client_name = "mx.example.org"};
}

std::string name(const std::string& macros, const MacroValues& known = values()) {
  const auto parsed = MacroString::parse(macros, MacroUse::DomainSpec);
  return parsed ? parsed->expand_name(known) : "error: " + std::string(parsed.error());
}

std::string text(const std::string& macros, const MacroValues& known = values()) {
  const auto parsed = MacroString::parse(macros, MacroUse::Explanation);
  if (!parsed) return "error: " + std::string(parsed.error());
  return parsed->expand_text(known).value_or("nothing");
}

struct MacroCase {
  const char* macros;
  const char* expected;
};

class SpfMacro : public testing::TestWithParam<MacroCase> {};

TEST_P(SpfMacro, Expands) { EXPECT_EQ(name(GetParam().macros), GetParam().expected); }

// RFC 7208 §7.4.
INSTANTIATE_TEST_SUITE_P(
    Rfc7208, SpfMacro,
    testing::Values(MacroCase{"%{s}", "strong-bad@email.example.com"},
                    MacroCase{"%{o}", "email.example.com"}, MacroCase{"%{d}", "email.example.com"},
                    MacroCase{"%{d4}", "email.example.com"},
                    MacroCase{"%{d3}", "email.example.com"}, MacroCase{"%{d2}", "example.com"},
                    MacroCase{"%{d1}", "com"}, MacroCase{"%{dr}", "com.example.email"},
                    MacroCase{"%{d2r}", "example.email"}, MacroCase{"%{l}", "strong-bad"},
                    MacroCase{"%{l-}", "strong.bad"}, MacroCase{"%{lr}", "strong-bad"},
                    MacroCase{"%{lr-}", "bad.strong"}, MacroCase{"%{l1r-}", "strong"},
                    MacroCase{"%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"},
                    MacroCase{"%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"},
                    MacroCase{"%{lr-}.lp.%{ir}.%{v}._spf.%{d2}",
                              "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
                    MacroCase{"%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}",
                              "3.2.0.192.in-addr.strong.lp._spf.example.com"},
                    MacroCase{"%{d2}.trusted-domains.example.net",
                              "example.com.trusted-domains.example.net"}));

INSTANTIATE_TEST_SUITE_P(
    More, SpfMacro,
    testing::Values(MacroCase{"%{h}", "mx.example.org"}, MacroCase{"%{p2}", "example.org"},
                    MacroCase{"%{D2}", "example.com"},
                    MacroCase{"%{S}", "strong-bad%40email.example.com"},
                    MacroCase{"%{S1R@}", "error: a macro with an unknown delimiter"},
                    MacroCase{"%{dR}", "com.example.email"},
                    MacroCase{"%{d99999999999999999999}", "email.example.com"},
                    MacroCase{"%{s2r.-}", "bad@email.strong"},
                    MacroCase{"a%%b%_c%-d.%{d1}", "a%b c%20d.com"}, MacroCase{"x.%%", "x.%"},
                    MacroCase{"%{d2}.org.", "example.com.org"},
                    MacroCase{"%{o,/_=+-.}", "email.example.com"}));

TEST(SpfMacros, SpellIpv6InNibbles) {
  auto known = values();
  known.client = make_address("2001:db8::cb01");
  EXPECT_EQ(name("%{ir}.%{v}._spf.%{d2}", known),
            "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com");
  EXPECT_EQ(text("%{c}", known), "2001:db8::cb01");
}

TEST(SpfMacros, KnowTheReceiverOnlyInExplanations) {
  EXPECT_EQ(text("%{c} %{r} %{t} %{R1}"), "192.0.2.3 relay.example.net 1795489200 net");
  for (const char* macros : {"%{c}", "%{r}", "%{t}", "%{C}"}) {
    EXPECT_EQ(name(macros), "error: a macro letter that is for explanations only");
  }
  auto known = values();
  known.receiver = "";
  known.client_name = "";
  EXPECT_EQ(text("%{r} %{p}", known), "unknown unknown");
}

TEST(SpfMacros, SayWhetherTheClientsNameIsWanted) {
  const auto names_client = [](const char* macros) {
    return MacroString::parse(macros, MacroUse::Modifier)->names_client();
  };
  EXPECT_TRUE(names_client("x%{P1r}"));
  EXPECT_FALSE(names_client("p%%{p}%{d}"));
}

// RFC 7208 §7.3: 253 octets, whole labels off the left.
TEST(SpfMacros, LoseLabelsOnTheLeftOverTheLimit) {
  const std::string label(49, 'x');  // five with their dots: 250 octets
  std::string five;
  for (int i = 0; i < 5; ++i) five += label + ".";
  EXPECT_EQ(name("%%%%" + five.substr(0, 248) + ".co").size(), 253U);
  EXPECT_EQ(name("a" + five + "com"), five.substr(50) + "com") << "254 octets";
  EXPECT_EQ(name(five + "com"), five + "com") << "253 octets";
  EXPECT_EQ(name("a." + five + "com"), five + "com") << "255, and a whole label to lose";
  EXPECT_EQ(name("a." + five + "com."), five + "com") << "a trailing dot does not count";
  EXPECT_EQ(name("." + five + "com"), five + "com");
  EXPECT_EQ(name(std::string(300, 'x') + ".%{d1}"), "com");
  EXPECT_EQ(name("%{d1}" + std::string(300, 'x') + "%%"), "") << "nothing left to ask for";
}

// A record of a thousand macros costs no more than its last few.
TEST(SpfMacros, StopExpandingWhereTheNameIsFull) {
  auto known = values();
  const std::string long_part(64, '"');
  known.local_part = long_part;
  std::string thousand;
  for (int i = 0; i < 1000; ++i) thousand += "%{S}.";
  const std::string expanded = name(thousand + "example.org", known);
  EXPECT_LE(expanded.size(), kMaxNameOctets);
  EXPECT_TRUE(expanded.ends_with("email.example.com.example.org"));
  EXPECT_EQ(text(thousand, known), "nothing");
}

// Expansion is not macro expansion again.
TEST(SpfMacros, AreNotExpandedTwice) {
  auto known = values();
  known.local_part = "%{d}%%";
  known.helo = "%{l}.example";
  EXPECT_EQ(name("%{l}.%{h}", known), "%{d}%%.%{l}.example");
  EXPECT_EQ(name("%{L}.x%%", known), "%25%7Bd%7D%25%25.x%");
}

// The client can say any octets; an explanation that would contain them is dropped.
TEST(SpfMacros, KeepExplanationsPrintable) {
  auto known = values();
  known.helo = "mx\r\n.example.org";
  EXPECT_EQ(text("hello %{h}", known), "nothing");
  EXPECT_EQ(text("hello %{H}", known), "hello mx%0D%0A.example.org");
  known.helo = "m\xc3\xbc.example.org";
  EXPECT_EQ(text("%{h}", known), "nothing");
  EXPECT_EQ(text("\xc3\xbc"), "error: a character outside visible US-ASCII");
  EXPECT_EQ(text("a\tb"), "error: a character outside visible US-ASCII");
}

TEST(SpfMacros, LimitExplanations) {
  EXPECT_EQ(text(std::string(kMaxExplanationOctets, 'x')).size(), kMaxExplanationOctets);
  EXPECT_EQ(text(std::string(kMaxExplanationOctets + 1, 'x')), "nothing");
}

// Inputs of the kind that broke libspf2 (CVE-2021-20314, -33912, -33913).
TEST(SpfMacros, TakeLongTransformersAndReversalsOfNothing) {
  auto known = values();
  known.local_part = "";
  known.client_name = "";
  known.helo = "................";
  EXPECT_EQ(name("%{l9999r.-+,/_=}%%", known), "%");
  EXPECT_EQ(name("%{h3r}x%%", known), "..x%");
  EXPECT_EQ(name("%{p1r}%%", known), "unknown%");
  EXPECT_EQ(name("%{S128R" + std::string(3000, '-') + "}.example.com", known),
            "%40email.example.com.example.com");
}

}  // namespace
}  // namespace relay::auth::spf
