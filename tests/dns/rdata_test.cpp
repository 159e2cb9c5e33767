#include "relay/dns/rdata.hpp"

#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay::dns {
namespace {

using namespace std::string_literals;
using ports::DnsError;
using ports::Resolver;
using testing::ElementsAre;
using testing::SizeIs;

// Each case is parsed from a heap copy of its exact size, so that reading past the end is caught.
template <class Parse>
auto exact(Parse parse, const std::string& octets) {
  const std::unique_ptr<char[]> copy(new char[octets.size()]);
  std::copy(octets.begin(), octets.end(), copy.get());
  return parse(std::string_view(copy.get(), octets.size()));
}

struct NameCase {
  const char* title;
  std::string wire;
  std::optional<std::string> name;
};

class NameParse : public testing::TestWithParam<NameCase> {};

TEST_P(NameParse, TakesOnlyHostNames) {
  EXPECT_EQ(exact(parse_name, GetParam().wire), GetParam().name);
}

std::string long_name(std::size_t labels) {
  std::string wire;
  for (std::size_t i = 0; i < labels; ++i) wire += "\x3f"s + std::string(63, 'a');
  return wire + "\0"s;
}

INSTANTIATE_TEST_SUITE_P(Cases, NameParse,
                         testing::Values(NameCase{"Folded",
                                                  "\x02MX\x07"
                                                  "Example\x03"
                                                  "org\0"s,
                                                  "mx.example.org"},
                                         NameCase{"Root", "\0"s, "."},
                                         NameCase{"Underscore", "\x03_mx\x01x\0"s, "_mx.x"},
                                         NameCase{"Nothing", "", std::nullopt},
                                         NameCase{"NoEnd", "\x02mx"s, std::nullopt},
                                         NameCase{"LabelOverEnd", "\x05mx\0"s, std::nullopt},
                                         NameCase{"OctetsBehind", "\x02mx\0x"s, std::nullopt},
                                         NameCase{"RootAndMore", "\0\0"s, std::nullopt},
                                         NameCase{"Pointer", "\xc0\x0c"s, std::nullopt},
                                         NameCase{"Space", "\x03m x\0"s, std::nullopt},
                                         NameCase{"LineFeed", "\x03m\nx\0"s, std::nullopt},
                                         NameCase{"Nul", "\x03m\0x\0"s, std::nullopt},
                                         NameCase{"Escape", "\x02\x1b[\0"s, std::nullopt},
                                         NameCase{"DotInLabel", "\x03m.x\0"s, std::nullopt},
                                         NameCase{"HighOctet", "\x02m\xfc\0"s, std::nullopt},
                                         NameCase{"Address",
                                                  "\x03"
                                                  "192\x01"
                                                  "0\x01"
                                                  "2\x01"
                                                  "1\0"s,
                                                  std::nullopt},
                                         NameCase{"TooLong", long_name(4), std::nullopt},
                                         NameCase{"LongEnough", long_name(3),
                                                  std::string(63, 'a') + "." +
                                                      std::string(63, 'a') + "." +
                                                      std::string(63, 'a')}),
                         [](const auto& info) { return std::string(info.param.title); });

class NamePresentation : public testing::TestWithParam<NameCase> {};

TEST_P(NamePresentation, ShowsWhateverANameHolds) {
  EXPECT_EQ(exact(presentation_name, GetParam().wire), GetParam().name);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, NamePresentation,
    testing::Values(NameCase{"Folded", "\x02MX\x03Org\0"s, "mx.org"}, NameCase{"Root", "\0"s, "."},
                    NameCase{"Address",
                             "\x03"
                             "192\x01"
                             "0\x01"
                             "2\x01"
                             "1\0"s,
                             "192.0.2.1"},
                    NameCase{"Star", "\x01*\x01x\0"s, "*.x"},
                    NameCase{"Url", "\x0bhttp://mail\x01x\0"s, "http://mail.x"},
                    NameCase{"Blank", "\x03m x\0"s, "m\\032x"},
                    NameCase{"BlankAtTheEnd", "\x02m \x01x\0"s, "m\\032.x"},
                    NameCase{"LineFeed", "\x03m\nx\0"s, "m\\010x"},
                    NameCase{"Nul", "\x03m\0x\0"s, "m\\000x"},
                    NameCase{"DotInLabel", "\x03m.x\0"s, "m\\046x"},
                    NameCase{"Backslash", "\x03m\\x\0"s, "m\\092x"},
                    NameCase{"Quote", "\x03m\"x\0"s, "m\\034x"},
                    NameCase{"HighOctet", "\x02m\xfc\0"s, "m\\252"},
                    NameCase{"Nothing", "", std::nullopt},
                    NameCase{"NoEnd", "\x02mx"s, std::nullopt},
                    NameCase{"LabelOverEnd", "\x05mx\0"s, std::nullopt},
                    NameCase{"OctetsBehind", "\x02mx\0x"s, std::nullopt},
                    NameCase{"Pointer", "\xc0\x0c"s, std::nullopt},
                    NameCase{"LongLabel", "\x40"s + std::string(64, 'a') + "\0"s, std::nullopt},
                    NameCase{"TooLong", long_name(4), std::nullopt}),
    [](const auto& info) { return std::string(info.param.title); });

TEST(Rdata, ReadsMx) {
  const auto host = exact(parse_mx, "\x01\x02\x02mx\x01x\0"s);
  ASSERT_TRUE(host);
  EXPECT_EQ(host->preference, 258);
  EXPECT_EQ(host->name, "mx.x");
}

TEST(Rdata, RefusesShortMx) {
  for (const auto& rdata : {""s, "\0"s, "\0\x0a"s, "\0\x0a\x02m"s}) {
    EXPECT_FALSE(exact(parse_mx, rdata)) << rdata.size();
  }
}

TEST(Rdata, ReadsAddressesOfRightLengthOnly) {
  EXPECT_EQ(exact(parse_a, "\xc0\0\x02\x01"s)->to_string(), "192.0.2.1");
  EXPECT_EQ(exact(parse_aaaa, "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01")->to_string(),
            "2001:db8::1");
  for (std::size_t size = 0; size < 20; ++size) {
    EXPECT_EQ(exact(parse_a, std::string(size, '\1')).has_value(), size == 4) << size;
    EXPECT_EQ(exact(parse_aaaa, std::string(size, '\1')).has_value(), size == 16) << size;
  }
}

TEST(Rdata, RefusesMappedAddress) {
  EXPECT_FALSE(exact(parse_aaaa, std::string(10, '\0') + "\xff\xff\x7f\0\0\x01"s));
}

TEST(Rdata, JoinsCharacterStrings) {
  EXPECT_EQ(exact(parse_txt,
                  "\x03"
                  "abc\0\x02"
                  "de"s),
            "abcde");
  EXPECT_EQ(exact(parse_txt, "\0"s), "");
  EXPECT_FALSE(exact(parse_txt, ""s));
  EXPECT_FALSE(exact(parse_txt,
                     "\x04"
                     "abc"s));
  EXPECT_FALSE(exact(parse_txt,
                     "\x01"
                     "a\xff"s));
}

TEST(Rdata, TakesAnyOctetsForWhatTheyAre) {
  // Every record of up to three octets: no crash, no read past the end, sizes kept in bounds.
  for (unsigned value = 0; value < 1U << 24U; value += 251) {
    const std::string rdata{static_cast<char>(value), static_cast<char>(value >> 8U),
                            static_cast<char>(value >> 16U)};
    for (std::size_t size = 0; size <= rdata.size(); ++size) {
      const auto part = rdata.substr(0, size);
      exact(parse_name, part);
      exact(presentation_name, part);
      exact(parse_mx, part);
      const auto text = exact(parse_txt, part);
      if (text) EXPECT_LT(text->size(), part.size());
    }
  }
}

std::string mx(std::uint16_t preference, const std::string& label) {
  std::string rdata{static_cast<char>(preference >> 8U), static_cast<char>(preference & 0xffU)};
  if (label.empty()) return rdata + "\0"s;
  return rdata + static_cast<char>(label.size()) + label + "\0"s;
}

TEST(SelectMx, OrdersByPreferenceThenName) {
  const auto hosts = select_mx(std::vector{mx(20, "c"), mx(10, "b"), mx(10, "a")});
  ASSERT_TRUE(hosts);
  ASSERT_THAT(*hosts, SizeIs(3));
  EXPECT_EQ((*hosts)[0].name, "a");
  EXPECT_EQ((*hosts)[1].name, "b");
  EXPECT_EQ((*hosts)[2].name, "c");
}

TEST(SelectMx, KnowsNullMxOnlyWhenItStandsAlone) {
  EXPECT_EQ(select_mx(std::vector{mx(0, "")}).error(), DnsError::NullMx);
  EXPECT_EQ(select_mx(std::vector{mx(0, ""), mx(10, "a")})->front().name, "a");
  EXPECT_EQ(select_mx(std::vector{mx(0, ""), mx(1, "")}).error(), DnsError::NullMx) << "said twice";
  EXPECT_EQ(select_mx(std::vector{mx(0, ""), "\0"s}).error(), DnsError::Malformed)
      << "the damaged one may have been a host";
}

TEST(SelectMx, GivesNamesThatAreNoHosts) {
  const auto hosts = select_mx(std::vector{mx(5, "m x"), mx(10, "a"), mx(20, "*"), mx(0, "")});
  ASSERT_TRUE(hosts);
  ASSERT_THAT(*hosts, SizeIs(3));
  EXPECT_EQ((*hosts)[0].name, "m\\032x");
  EXPECT_EQ((*hosts)[1].name, "a");
  EXPECT_EQ((*hosts)[2].name, "*");
}

TEST(SelectMx, LeavesOutDamagedRecords) {
  EXPECT_THAT(*select_mx(std::vector{"\0\5\3m"s, mx(10, "a")}), SizeIs(1));
  EXPECT_EQ(select_mx(std::vector{"\0\5\3m"s, "\0\5\xc0\x0c"s}).error(), DnsError::Malformed);
}

TEST(SelectMx, KeepsTheBestOfTooMany) {
  std::vector<std::string> records;
  for (int i = 500; i > 0; --i) records.push_back(mx(static_cast<std::uint16_t>(i), "a"));
  const auto hosts = select_mx(records);
  ASSERT_THAT(*hosts, SizeIs(Resolver::kMaxMxHosts));
  EXPECT_EQ(hosts->back().preference, Resolver::kMaxMxHosts);
}

TEST(SelectAddresses, LeavesRoomForBothFamilies) {
  const std::vector<std::string> many4(60, "\xc0\0\x02\x01"s);
  const std::vector<std::string> many6(60, std::string(16, '\1'));
  const auto both = select_addresses(many6, many4);
  ASSERT_THAT(*both, SizeIs(Resolver::kMaxAddresses));
  EXPECT_TRUE(both->front().is_v6());
  EXPECT_EQ(std::ranges::count_if(*both, [](const auto& a) { return a.is_v4(); }), 25);
  EXPECT_THAT(*select_addresses(many6, {}), SizeIs(Resolver::kMaxAddresses));
  EXPECT_THAT(*select_addresses({}, many4), SizeIs(Resolver::kMaxAddresses));
}

TEST(SelectTxt, DropsWhatIsTooLongInsteadOfCutting) {
  std::string huge;
  for (int i = 0; i < 17; ++i) huge += "\xff"s + std::string(255, 'x');
  EXPECT_THAT(*select_txt(std::vector{huge, "\x01y"s}), ElementsAre("y"));
  EXPECT_EQ(select_txt(std::vector{huge}).error(), DnsError::Malformed);
  EXPECT_THAT(*select_txt(std::vector<std::string>(100, "\x01y")),
              SizeIs(Resolver::kMaxTxtRecords));
}

TEST(Queryable, RefusesWhatNoNameCanBe) {
  for (const auto* good : {"example.org", "example.org.", "_dmarc.example.org", "a", "xn--p1ai"}) {
    EXPECT_TRUE(is_queryable(good)) << good;
  }
  for (const auto& bad : {""s, "."s, "a..b"s, ".a"s, "a b"s, "a\\046b"s, "a\0b"s, "ä.org"s,
                          std::string(64, 'a'), "[192.0.2.1]"s}) {
    EXPECT_FALSE(is_queryable(bad)) << bad;
  }
}

}  // namespace
}  // namespace relay::dns
