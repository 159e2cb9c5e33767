#include "relay/dns/rdata.hpp"

#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay::dns {
namespace {

using namespace std::string_literals;
using ports::DnsError;
using ports::IpFamily;
using ports::Resolver;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

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

std::string long_name(std::size_t labels) {
  std::string wire;
  for (std::size_t i = 0; i < labels; ++i) wire += "\x3f"s + std::string(63, 'a');
  return wire + "\0"s;
}

class NamePresentation : public testing::TestWithParam<NameCase> {};

TEST_P(NamePresentation, ShowsWhateverANameHolds) {
  EXPECT_EQ(exact(presentation_name, GetParam().wire), GetParam().name);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, NamePresentation,
    testing::Values(
        NameCase{"Folded", "\x02MX\x03Org\0"s, "mx.org"}, NameCase{"Root", "\0"s, "."},
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
        NameCase{"LineFeed", "\x03m\nx\0"s, "m\\010x"}, NameCase{"Nul", "\x03m\0x\0"s, "m\\000x"},
        NameCase{"DotInLabel", "\x03m.x\0"s, "m\\046x"},
        NameCase{"Backslash", "\x03m\\x\0"s, "m\\092x"},
        NameCase{"Quote", "\x03m\"x\0"s, "m\\034x"},
        NameCase{"HighOctet", "\x02m\xfc\0"s, "m\\252"}, NameCase{"Nothing", "", std::nullopt},
        NameCase{"NoEnd", "\x02mx"s, std::nullopt},
        NameCase{"LabelOverEnd", "\x05mx\0"s, std::nullopt},
        NameCase{"OctetsBehind", "\x02mx\0x"s, std::nullopt},
        NameCase{"Pointer", "\xc0\x0c"s, std::nullopt},
        NameCase{"LongLabel", "\x40"s + std::string(64, 'a') + "\0"s, std::nullopt},
        NameCase{"RootAndMore", "\0\0"s, std::nullopt},
        NameCase{"LongEnough", long_name(3),
                 std::string(63, 'a') + "." + std::string(63, 'a') + "." + std::string(63, 'a')},
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

const std::string kMapped = std::string(10, '\0') + "\xff\xff\x7f\0\0\x01"s;

TEST(SelectAddresses, TellsUselessFromDamaged) {
  const std::string good = "\x20\x01"s + std::string(14, '\1');
  EXPECT_THAT(*select_addresses(IpFamily::V6, std::vector{kMapped, good, "\x20"s}), SizeIs(1));
  EXPECT_THAT(*select_addresses(IpFamily::V6, std::vector{kMapped, "\x20"s}), IsEmpty());
  EXPECT_EQ(select_addresses(IpFamily::V6, std::vector{"\x20"s, ""s}).error(), DnsError::Malformed);
  EXPECT_EQ(select_addresses(IpFamily::V4, std::vector{kMapped}).error(), DnsError::Malformed);
}

TEST(SelectAddresses, TakesEachOnceInTheOrderTheyCame) {
  const auto all = select_addresses(
      IpFamily::V4, std::vector{"\xc0\0\x02\x09"s, "\xc0\0\x02\x01"s, "\xc0\0\x02\x09"s});
  ASSERT_THAT(*all, SizeIs(2));
  EXPECT_EQ(all->front().to_string(), "192.0.2.9");
}

TEST(SelectNames, TellsUselessFromDamaged) {
  const auto names = [](const std::vector<std::string>& records) { return select_names(records); };
  EXPECT_THAT(*names({"\x02MX\x01x\0"s, "\x02m \x01x\0"s, "\xc0\x0c"s}), ElementsAre("mx.x"));
  EXPECT_THAT(*names({"\0"s, "\x01*\x01x\0"s,
                      "\x01"
                      "1\x01"
                      "2\0"s}),
              IsEmpty());
  EXPECT_EQ(names({"\xc0\x0c"s, ""s}).error(), DnsError::Malformed);
}

TEST(SelectTxt, TakesRecordsOfAnyLengthAndNumber) {
  std::string large = "\x07v=spf1 "s;
  for (int i = 0; i < 40; ++i) large += "\xff"s + std::string(255, 'x');
  std::vector<std::string> records(200, large);
  for (std::size_t i = 1; i < records.size(); ++i) {
    records[i] = "\x05"s + std::to_string(10'000 + i);
  }
  const auto texts = select_txt(records);
  ASSERT_THAT(*texts, SizeIs(200));
  EXPECT_THAT(texts->front(), StartsWith("v=spf1 xxx"));
}

TEST(SelectTxt, LeavesOutDamagedAndRepeatedRecords) {
  EXPECT_THAT(*select_txt(std::vector{"\x01y"s, "\x05x"s, "\x01y"s}), ElementsAre("y"));
  EXPECT_THAT(*select_txt(std::vector{"\x02xy"s, "\x01x\x01y"s}), ElementsAre("xy", "xy"))
      << "two records that read alike are two";
  EXPECT_EQ(select_txt(std::vector{"\x05x"s, ""s}).error(), DnsError::Malformed);
}

}  // namespace
}  // namespace relay::dns
