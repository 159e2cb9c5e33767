#include "relay/delivery/address_policy.hpp"

#include <gtest/gtest.h>

#include "tests/support/ip.hpp"

namespace relay::delivery {
namespace {

using support::ip;

Policy policy() { return Policy(*mail::Domain::parse("mx.fwd.example")); }

/// The owner of a domain chooses its MX, and could choose our inner network.
TEST(AddressPolicy, SpecialAddressesAreNotDialled) {
  for (const char* special : {"0.0.0.0",
                              "10.1.2.3",
                              "100.64.0.1",
                              "127.0.0.1",
                              "127.255.255.255",
                              "169.254.169.254",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.168.1.1",
                              "224.0.0.1",
                              "255.255.255.255",
                              "240.0.0.1",
                              "::",
                              "::1",
                              "fc00::1",
                              "fd12::1",
                              "fe80::1",
                              "fec0::1",
                              "ff02::1",
                              "::ffff:127.0.0.1",
                              "::ffff:10.0.0.1",
                              "192.0.0.8",
                              "198.19.255.255",
                              "::10.0.0.1",
                              "64:ff9b::a00:1",
                              "64:ff9b::7f00:1",
                              "64:ff9b:1::808:808",
                              "2002:a00:1::1",
                              "2002:7f00:1::1",
                              "2002:c0a8:101::1",
                              "192.88.99.1",
                              "::ffff:198.18.0.1",
                              "::ffff:0:10.0.0.1",
                              "64:ff9b::c612:1",
                              "64:ff9b:1:ffff::1",
                              "100::1",
                              "100:0:0:1::1",
                              "2001::1",
                              "2001:0:4136:e378:8000:63bf:f5ff:fffe",
                              "2001:2::1",
                              "2001:1ff::1",
                              "5f00::1"}) {
    EXPECT_TRUE(is_special_address(ip(special))) << special;
    EXPECT_FALSE(may_dial(ip(special), 25, policy())) << special;
  }
  for (const char* plain : {"192.0.2.1",       "8.8.8.8",        "172.15.255.255",
                            "172.32.0.1",      "100.63.255.255", "100.128.0.1",
                            "2001:db8::1",     "::ffff:8.8.8.8", "192.0.1.1",
                            "198.17.0.1",      "198.20.0.1",     "64:ff9b::808:808",
                            "2002:808:808::1", "192.88.98.255",  "192.88.100.1",
                            "100:0:0:2::1",    "2001:200::1",    "2001:4860:4860::8888",
                            "64:ff9c::1",      "::fffe:0:0:1",   "2003::1",
                            "5eff::1",         "5f01::1"}) {
    EXPECT_FALSE(is_special_address(ip(plain))) << plain;
    EXPECT_TRUE(may_dial(ip(plain), 25, policy())) << plain;
  }
}

TEST(AddressPolicy, TheOperatorMayAllowThem) {
  Policy some = policy();
  some.allowed_blocks.push_back({ip("10.1.0.0"), 16});
  EXPECT_TRUE(may_dial(ip("10.1.200.3"), 25, some));
  EXPECT_FALSE(may_dial(ip("10.2.0.1"), 25, some));
  EXPECT_TRUE(may_dial(ip("::ffff:10.1.0.1"), 25, some));
  Policy all = policy();
  all.outbound.allow_private = true;
  EXPECT_TRUE(may_dial(ip("127.0.0.1"), 25, all));
}

TEST(AddressPolicy, WhatIsAllowedIsAllowedBehindATranslatorToo) {
  Policy some = policy();
  some.allowed_blocks.push_back({ip("10.1.0.0"), 16});
  EXPECT_TRUE(may_dial(ip("64:ff9b::a01:1"), 25, some));
  EXPECT_FALSE(may_dial(ip("64:ff9b::a02:1"), 25, some));
  some.allowed_blocks = {{ip("64:ff9b::a02:0"), 112}};  // or as it is dialled
  EXPECT_TRUE(may_dial(ip("64:ff9b::a02:1"), 25, some));
  EXPECT_FALSE(may_dial(ip("64:ff9b::a03:1"), 25, some));
  EXPECT_FALSE(may_dial(ip("10.2.0.1"), 25, some));
}

TEST(AddressPolicy, WeNeverDialOurselvesByAWrapping) {
  Policy own = policy();
  own.own_endpoints = {{ip("192.0.2.25"), 25}};
  for (const char* wrapped : {"::ffff:192.0.2.25", "64:ff9b::192.0.2.25", "2002:c000:219::1"}) {
    EXPECT_FALSE(may_dial(ip(wrapped), 25, own)) << wrapped;
    EXPECT_TRUE(may_dial(ip(wrapped), 24, own)) << wrapped;
  }
}

TEST(AddressPolicy, WeNeverDialOurselves) {
  Policy own = policy();
  own.outbound.allow_private = true;
  own.own_endpoints = {{ip("192.0.2.25"), 25}, {ip("127.0.0.1"), 2525}};
  EXPECT_FALSE(may_dial(ip("192.0.2.25"), 25, own));
  EXPECT_FALSE(may_dial(ip("::ffff:127.0.0.1"), 2525, own));
  EXPECT_FALSE(may_dial(ip("0.0.0.0"), 25, own));
  EXPECT_TRUE(may_dial(ip("192.0.2.25"), 26, own));
}

/// Another program of this host may listen beside us, at our address or at our port.
TEST(AddressPolicy, OursIsAnAddressWithItsPort) {
  Policy own = policy();
  own.own_endpoints = {{ip("192.0.2.25"), 25}, {ip("127.0.0.1"), 587}};
  EXPECT_FALSE(is_own_endpoint(ip("127.0.0.1"), 25, own));
  EXPECT_FALSE(is_own_endpoint(ip("192.0.2.25"), 587, own));
  EXPECT_TRUE(is_own_endpoint(ip("127.0.0.1"), 587, own));
}

TEST(AddressPolicy, AListenerOnAllAddressesOfAFamilyHasEachLoopbackAddress) {
  Policy own = policy();
  own.own_endpoints = {{ip("0.0.0.0"), 25}, {ip("192.0.2.25"), 25}};
  EXPECT_TRUE(is_own_endpoint(ip("127.0.0.2"), 25, own));
  EXPECT_TRUE(is_own_endpoint(ip("::ffff:127.0.0.1"), 25, own));
  EXPECT_FALSE(is_own_endpoint(ip("127.0.0.2"), 26, own));
  EXPECT_FALSE(is_own_endpoint(ip("::1"), 25, own)) << "nobody of ours speaks IPv6";
  EXPECT_FALSE(is_own_endpoint(ip("192.0.2.26"), 25, own));
}

/// An address that this host got after the policy was made is known by the connection.
TEST(AddressPolicy, AConnectionWithinThisHostLeadsToAListenerOnAllAddresses) {
  Policy own = policy();
  own.own_endpoints = {{ip("0.0.0.0"), 25}};
  const ports::Endpoint here{ip("198.51.100.7"), 40'000};
  EXPECT_TRUE(leads_to_us(here, {ip("198.51.100.7"), 25}, own));
  EXPECT_FALSE(leads_to_us(here, {ip("198.51.100.7"), 26}, own));
  EXPECT_FALSE(leads_to_us(here, {ip("198.51.100.8"), 25}, own));
  own.own_endpoints = {{ip("192.0.2.25"), 25}};
  EXPECT_FALSE(leads_to_us(here, {ip("198.51.100.7"), 25}, own)) << "somebody else listens there";
}

TEST(AddressPolicy, HostNamesAreNames) {
  for (const char* good : {"mx.example", "_x.mx.example", "a"}) EXPECT_TRUE(is_host_name(good));
  for (const char* bad : {"", "127.0.0.1", "::1", "[127.0.0.1]", "mx example", "mx.example.", "*",
                          "mx\n.example", "../etc"}) {
    EXPECT_FALSE(is_host_name(bad)) << bad;
  }
}

}  // namespace
}  // namespace relay::delivery
