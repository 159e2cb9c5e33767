#include "relay/auth/results/value.hpp"

#include <gtest/gtest.h>

namespace relay::auth::results {
namespace {

struct TextCase {
  const char* name;
  std::string text;
  const char* value;
};

class ValueOf : public testing::TestWithParam<TextCase> {};

TEST_P(ValueOf, IsTokenOrQuotedOrUnknown) {
  EXPECT_EQ(Value::of(GetParam().text).text(), GetParam().value);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, ValueOf,
    testing::Values(
        TextCase{"Token", "rsa-sha256", "rsa-sha256"},
        TextCase{"Address", "192.0.2.1", "192.0.2.1"},
        TextCase{"Address6", "2001:db8::1", "\"2001:db8::1\""},
        TextCase{"Literal", "[192.0.2.1]", "\"[192.0.2.1]\""},
        TextCase{"Base64", "ab/cd+ef", "\"ab/cd+ef\""},
        TextCase{"Padding", "spf=pass", "unknown"},  // a b= that wants to be read
        TextCase{"Empty", "", "unknown"}, TextCase{"Comment", "a(b)", "unknown"},
        TextCase{"Semicolon", "a;dkim", "unknown"}, TextCase{"Quote", "a\"b", "unknown"},
        TextCase{"Backslash", "a\\b", "unknown"}, TextCase{"LineBreak", "a\r\nb", "unknown"},
        TextCase{"Nul", std::string("a\0b", 3), "unknown"}, TextCase{"Delete", "a\x7F", "unknown"},
        TextCase{"HighOctets", "\xC3\xA4", "unknown"}, TextCase{"Space", "a b", "\"a b\""},
        TextCase{"TooLong", std::string(256, 'a'), "unknown"}),
    [](const auto& info) { return std::string(info.param.name); });

struct AddressCase {
  const char* name;
  std::string text;
  const char* ascii;
  const char* utf8;
};

class ValueAddress : public testing::TestWithParam<AddressCase> {};

TEST_P(ValueAddress, DropsLocalPartThatIsNotPlain) {
  EXPECT_EQ(Value::address(GetParam().text, Octets::Ascii).text(), GetParam().ascii);
  EXPECT_EQ(Value::address(GetParam().text, Octets::Utf8).text(), GetParam().utf8);
}

// Local parts and domains that try to write results of their own (espoofer A4, A5).
INSTANTIATE_TEST_SUITE_P(
    Cases, ValueAddress,
    testing::Values(
        AddressCase{"Plain", "ann.lee+x@Example.ORG", "ann.lee+x@example.org",
                    "ann.lee+x@example.org"},
        AddressCase{"DomainAlone", "@example.org", "@example.org", "@example.org"},
        AddressCase{"NoAt", "example.org", "example.org", "example.org"},
        AddressCase{"Space", "a b@example.org", "example.org", "example.org"},
        AddressCase{"TwoAts", "any@a.example,@legit.example", "legit.example", "legit.example"},
        AddressCase{"OpensComment", "any(@evil.example", "evil.example", "evil.example"},
        AddressCase{"EndsResult", "x;dkim@evil.example", "evil.example", "evil.example"},
        AddressCase{"LooksLikeResult", "dmarc=pass@evil.example", "evil.example", "evil.example"},
        AddressCase{"Quotes", "\"any\"@evil.example", "evil.example", "evil.example"},
        AddressCase{"LineBreak", "x\r\nX-Evil: 1@evil.example", "evil.example", "evil.example"},
        AddressCase{"LeadingDot", ".ann@example.org", "example.org", "example.org"},
        AddressCase{"DoubleDot", "ann..lee@example.org", "example.org", "example.org"},
        AddressCase{"LongLocalPart", std::string(65, 'a') + "@example.org", "example.org",
                    "example.org"},
        AddressCase{"DomainWithComment", "ann@legit.example(.evil.example", "unknown", "unknown"},
        AddressCase{"DomainWithQuote", "ann@legit.example'.evil.example",
                    "legit.example'.evil.example", "legit.example'.evil.example"},
        AddressCase{"DomainWithSemicolon", "ann@legit.example;x", "unknown", "unknown"},
        AddressCase{"DomainWithNul", std::string("ann@legit.example\0.evil.example", 31), "unknown",
                    "unknown"},
        AddressCase{"Literal", "ann@[192.0.2.1]", "\"[192.0.2.1]\"", "\"[192.0.2.1]\""},
        // RFC 8616: as it is only where the message may hold UTF-8; domains are A-labels always.
        AddressCase{"Utf8", "j\xC3\xBCrgen@b\xC3\xBC\x63her.example", "xn--bcher-kva.example",
                    "j\xC3\xBCrgen@xn--bcher-kva.example"},
        AddressCase{"NotUtf8", "j\xFCrgen@example.org", "example.org", "example.org"},
        AddressCase{"C1Control", "a\xC2\x85z@example.org", "example.org", "example.org"},
        AddressCase{"RightToLeft", "a\xE2\x80\xAEz@example.org", "example.org", "example.org"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ValueReason, KeepsWordsAndLosesStructure) {
  EXPECT_EQ(Value::reason("body hash did not verify").text(), "\"body hash did not verify\"");
  EXPECT_EQ(Value::reason("no b= (\"x\"); dkim=pass\r\n").text(), "\"no b x dkimpass\"");
  EXPECT_EQ(Value::reason(std::string(500, 'x')).text().size(), 122U);
}

}  // namespace
}  // namespace relay::auth::results
