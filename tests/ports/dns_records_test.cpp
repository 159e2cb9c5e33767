#include "relay/ports/dns_records.hpp"

#include <algorithm>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay::ports {
namespace {

using boost::asio::ip::address;
using boost::asio::ip::make_address;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// The answer must be the same in whatever order the records came.
template <class T, class Arrange>
auto in_any_order(std::vector<T> records, Arrange arrange) {
  const auto first = arrange(records);
  std::mt19937 dice(1035);
  for (int i = 0; i < 5; ++i) {
    std::ranges::shuffle(records, dice);
    EXPECT_TRUE(arrange(records) == first);
  }
  return first;
}

TEST(PlainName, RefusesWhatNoNameCanBe) {
  for (const auto* good : {"example.org", "example.org.", "_dmarc.example.org", "a", "xn--p1ai"}) {
    EXPECT_TRUE(is_plain_name(good)) << good;
    EXPECT_TRUE(may_be_host(good)) << good;
  }
  using namespace std::string_literals;
  for (const auto& bad : {""s, "."s, "a..b"s, ".a"s, "a b"s, "a\\046b"s, "a\0b"s, "ä.org"s, "*.x"s,
                          std::string(64, 'a'), "[192.0.2.1]"s}) {
    EXPECT_FALSE(is_plain_name(bad)) << bad;
    EXPECT_FALSE(may_be_host(bad)) << bad;
  }
  EXPECT_TRUE(is_plain_name("192.0.2.1"));
  EXPECT_FALSE(may_be_host("192.0.2.1."));
}

TEST(ArrangedHosts, KnowsTheNullMxOnlyWhenItStandsAlone) {
  EXPECT_EQ(arranged_hosts({{0, "."}, {10, "."}}).error(), DnsError::NullMx);
  EXPECT_THAT(*arranged_hosts({{0, "."}, {10, "a"}, {10, "a"}}), ElementsAre(MxHost{10, "a"}));
  EXPECT_THAT(*arranged_hosts({}), IsEmpty());
}

/// Filtered first, cut afterwards: names that are no hosts take no place from one that is.
TEST(ArrangedHosts, KeepsHostsAndTheBestOfTooMany) {
  std::vector<MxHost> records{{60'000, "mx.example.org"}};
  for (int i = 0; i < 500; ++i) {
    const auto preference = static_cast<std::uint16_t>(i);
    records.push_back({preference, "192.0.2." + std::to_string(i % 256)});
  }
  const auto hosts = in_any_order(records, [](auto all) { return *arranged_hosts(all); });
  ASSERT_THAT(hosts, SizeIs(Resolver::kMaxMxHosts));
  EXPECT_EQ(hosts.back().name, "mx.example.org");
  EXPECT_EQ(hosts[hosts.size() - 2].preference, Resolver::kMaxMxHosts - 2);
}

std::vector<address> v4_addresses(std::uint32_t count) {
  std::vector<address> all;
  for (std::uint32_t i = 0; i < count; ++i) {
    all.emplace_back(boost::asio::ip::address_v4(0x0A000000U + i));
  }
  return all;
}

/// As many as a message of 64 KiB may have stay; and their order, which spreads load.
TEST(ArrangedAddresses, CutsNothingThatADnsMessageHolds) {
  auto all = v4_addresses(4094);
  std::ranges::reverse(all);
  EXPECT_EQ(arranged_addresses(all), all);
  all.push_back(all.front());
  EXPECT_THAT(arranged_addresses(all), SizeIs(4094)) << "said twice";
}

TEST(ArrangedAddresses, KeepsTheSameOfTooManyInWhateverOrderTheyCome) {
  const auto kept = in_any_order(v4_addresses(5'000), arranged_addresses);
  EXPECT_THAT(kept, SizeIs(4096));
  EXPECT_THAT(kept, Contains(make_address("10.0.0.0")));
}

TEST(JoinedAddresses, AreHalfAnAnswerOrTheFailureThatSaysLess) {
  const std::vector<address> six{make_address("2001:db8::1")};
  const std::vector<address> four{make_address("192.0.2.1")};
  const auto no = [](DnsError error) { return Addresses(std::unexpected(error)); };
  EXPECT_THAT(*joined_addresses(six, four), ElementsAre(six[0], four[0]));
  EXPECT_EQ(*joined_addresses(no(DnsError::Temporary), four), four);
  EXPECT_EQ(*joined_addresses(six, no(DnsError::NoData)), six);
  EXPECT_EQ(joined_addresses(no(DnsError::NoData), no(DnsError::Timeout)).error(),
            DnsError::Timeout);
  EXPECT_EQ(joined_addresses(no(DnsError::NoSuchName), no(DnsError::NoSuchName)).error(),
            DnsError::NoSuchName);
  EXPECT_EQ(joined_addresses(no(DnsError::NoData), no(DnsError::NoSuchName)).error(),
            DnsError::NoData);
  EXPECT_THAT(*joined_addresses(std::vector<address>{}, no(DnsError::NoData)), IsEmpty())
      << "an answer, if a useless one";
  EXPECT_EQ(joined_addresses(std::vector<address>{}, no(DnsError::Temporary)).error(),
            DnsError::Temporary)
      << "nothing of use was heard, and the other half not at all";
}

TEST(ArrangedNames, AreThoseThatMayBeHosts) {
  const auto names =
      in_any_order(std::vector<std::string>{"b.example", "a.example", "192.0.2.1", ".",
                                            "m\\032x.example", "*.example", "a.example"},
                   arranged_names);
  EXPECT_THAT(names, ElementsAre("a.example", "b.example"));
}

TEST(ArrangedTexts, HaveWhatIsAskedForInFrontAndLoseNothingOfAMessage) {
  std::vector<std::string> texts{"v=spf1 -all", "", "V=DMARC1; p=none", "token"};
  EXPECT_THAT(in_any_order(texts, arranged_texts),
              ElementsAre("V=DMARC1; p=none", "v=spf1 -all", "", "token"));
  for (int i = 0; i < 3600; ++i) texts.push_back("t" + std::to_string(1000 + i % 1000));
  EXPECT_THAT(arranged_texts(texts), SizeIs(texts.size()));
}

TEST(ArrangedTexts, KeepARecordWhateverElseIsThere) {
  std::vector<std::string> texts{"v=spf1 " + std::string(30'000, 'a')};
  for (int i = 0; i < 100; ++i) texts.push_back(std::to_string(i) + std::string(10'000, 'x'));
  const auto kept = in_any_order(texts, arranged_texts);
  EXPECT_EQ(kept.front(), texts.front());
  EXPECT_THAT(kept, SizeIs(4)) << "64 KiB";
  EXPECT_THAT(arranged_texts({std::string(70'000, 'x')}), IsEmpty());
}

}  // namespace
}  // namespace relay::ports
