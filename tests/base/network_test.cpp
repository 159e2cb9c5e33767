#include "relay/base/network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/ip.hpp"

namespace relay::base {
namespace {

using testing::HasSubstr;

using support::ip;

Network network(const char* text) { return *Network::parse(text); }

TEST(Network, HasTheAddressesBetweenItsEnds) {
  EXPECT_TRUE(network("10.0.0.0/8").contains(ip("10.0.0.0")));
  EXPECT_TRUE(network("10.0.0.0/8").contains(ip("10.255.255.255")));
  EXPECT_FALSE(network("10.0.0.0/8").contains(ip("11.0.0.0")));
  EXPECT_TRUE(network("192.0.2.96/29").contains(ip("192.0.2.103")));
  EXPECT_FALSE(network("192.0.2.96/29").contains(ip("192.0.2.104")));
  EXPECT_FALSE(network("192.0.2.96/29").contains(ip("192.0.2.95")));
  EXPECT_TRUE(network("2001:db8::/33").contains(ip("2001:db8:7fff::1")));
  EXPECT_FALSE(network("2001:db8::/33").contains(ip("2001:db8:8000::1")));
  EXPECT_TRUE(network("192.0.2.7").contains(ip("192.0.2.7")));
  EXPECT_FALSE(network("192.0.2.7").contains(ip("192.0.2.6")));
  EXPECT_TRUE(network("0.0.0.0/0").contains(ip("203.0.113.9")));
  EXPECT_TRUE(network("0.0.0.0/0").is_everything());
  EXPECT_FALSE(network("0.0.0.0/1").is_everything());
}

TEST(Network, TakesMappedAddressesAsIpv4AndKeepsFamiliesApart) {
  EXPECT_TRUE(network("10.0.0.0/8").contains(ip("::ffff:10.1.2.3")));
  EXPECT_TRUE(network("::ffff:10.1.2.3").contains(ip("10.1.2.3")));
  EXPECT_FALSE(network("::/0").contains(ip("10.1.2.3")));
  EXPECT_FALSE(network("0.0.0.0/0").contains(ip("2001:db8::1")));
}

TEST(Network, RefusesWhatIsNone) {
  for (const char* text : {"", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0/8",
                           "::/129", "fe80::1%lo", "example.org", "10.0.0.0/8/8", " 10.0.0.0/8",
                           "[::1]", "::ffff:10.0.0.0/104"}) {
    EXPECT_FALSE(Network::parse(text)) << text;
  }
  EXPECT_THAT(Network::parse("10.0.0.1/8").error(), HasSubstr("did you mean \"10.0.0.0/8\"?"));
}

TEST(Network, IsAroundAnAddress) {
  EXPECT_EQ(Network::around(ip("192.0.2.77"), 24), network("192.0.2.0/24"));
  EXPECT_EQ(Network::around(ip("::ffff:192.0.2.77"), 24), network("192.0.2.0/24"));
  EXPECT_EQ(Network::around(ip("2001:db8:1:2::7"), 48).text(), "2001:db8:1::/48");
}

TEST(Address, IsWrittenAsTheSystemWritesIt) {
  for (const char* text : {"0.0.0.0", "1.20.255.9", "255.255.255.255", "::", "2001:db8::1",
                           "::ffff:192.0.2.1", "fe80::1"}) {
    EXPECT_EQ(text_of(*parse_address(text)), text);
  }
}

TEST(Address, IsNothingElse) {
  EXPECT_EQ(parse_address("192.0.2.1"), ip("192.0.2.1"));
  EXPECT_EQ(parse_address("::ffff:192.0.2.1"), ip("::ffff:192.0.2.1"));
  using namespace std::string_view_literals;
  for (const std::string_view text :
       {""sv, "192.0.2"sv, "192.0.2.1\0x"sv, "fe80::1%lo"sv, "[::1]"sv, " ::1"sv}) {
    EXPECT_FALSE(parse_address(text)) << text;
  }
}

TEST(Network, IsShownAsItIsWritten) {
  EXPECT_EQ(network("10.0.0.0/8").text(), "10.0.0.0/8");
  EXPECT_EQ(network("10.0.0.7/32").text(), "10.0.0.7");
  EXPECT_EQ(network("2001:db8::/32").text(), "2001:db8::/32");
}

}  // namespace
}  // namespace relay::base
