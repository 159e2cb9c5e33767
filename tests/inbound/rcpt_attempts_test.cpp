// RCPT attempts count for their client, its networks and everybody, until they are given back.
#include "relay/inbound/rcpt_attempts.hpp"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace relay::inbound {
namespace {

using namespace std::chrono_literals;
using base::origin_of;

constexpr base::Rate kNone{.count = 0, .span = 1h};

/// So many of each an hour.
AttemptLimits hourly(std::uint32_t total, std::uint32_t client, std::uint32_t network) {
  return {.total = {.count = total, .span = 1h},
          .per_client = {.count = client, .span = 1h},
          .per_network = {.count = network, .span = 1h}};
}

struct AttemptsTest : testing::Test {
  /// How many of `most` attempts are let through.
  int taken(const std::string& address, int most) {
    int count = 0;
    for (int i = 0; i < most; ++i) count += used_up(address) ? 0 : 1;
    return count;
  }

  std::optional<ShareLevel> used_up(const std::string& address) {
    return attempts.take(origin_of(address), limits, now);
  }

  RcptAttempts attempts;
  AttemptLimits limits = hourly(0, 10, 15);
  base::SteadyTime now{1000h};
};

TEST_F(AttemptsTest, CountForClientAndNetwork) {
  EXPECT_EQ(taken("192.0.2.1", 100), 10);
  EXPECT_EQ(used_up("192.0.2.1"), ShareLevel::Client);
  EXPECT_EQ(taken("192.0.2.2", 100), 5) << "what is left of its network";
  EXPECT_EQ(used_up("192.0.2.2"), ShareLevel::Network);
  EXPECT_EQ(taken("192.0.3.1", 100), 10);
  // What was refused was not charged.
  now += 12min;
  EXPECT_EQ(taken("192.0.2.1", 100), 2);
}

TEST_F(AttemptsTest, AnIpv6NetworkIsOneClientAndAWiderOneIsTwo) {
  EXPECT_EQ(taken("2001:db8:1:1::1", 7), 7);
  EXPECT_EQ(taken("2001:db8:1:1::2", 100), 3);
  int in_all = 10;
  for (int i = 2; i < 1000; ++i) in_all += taken(fmt::format("2001:db8:1:{:x}::1", i), 1);
  EXPECT_EQ(in_all, 20);
  EXPECT_EQ(taken("2001:db8:2:1::1", 100), 10);
}

TEST_F(AttemptsTest, ANetworkHasAQuarterOfTheWholeAtMostAndAWiderOneHalf) {
  limits = hourly(100, 1000, 1000);
  EXPECT_EQ(taken("192.0.2.1", 1000), 25);
  int of_wider = 0;
  for (int i = 0; i < 10; ++i) of_wider += taken(fmt::format("2001:db8:1:{:x}::1", i), 100);
  EXPECT_EQ(of_wider, 50);
  // A share that refills faster than the whole gets no more than the whole allows.
  limits = {.total = {.count = 100, .span = 100h},
            .per_client = {.count = 25, .span = 1h},
            .per_network = {.count = 25, .span = 1h}};
  EXPECT_EQ(taken("198.51.100.1", 1000), 25);
  now += 4h;
  EXPECT_EQ(taken("198.51.100.1", 1000), 1);
}

/// Many networks together use up the whole. A client that owes nothing is still answered, so that
/// others cannot keep it out; a client that owes much waits.
TEST_F(AttemptsTest, AWholeThatIsUsedUpHitsWhoOwesMuch) {
  limits = hourly(1000, 100, 100);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(taken(fmt::format("192.0.{}.1", i), 100), 100);
  EXPECT_EQ(taken("198.51.100.1", 100), 11) << "a tenth of its share, and what exceeds it";
  EXPECT_EQ(used_up("198.51.100.1"), ShareLevel::Everybody);
  EXPECT_EQ(taken("198.51.101.1", 5), 5);
  now += 6min;
  EXPECT_EQ(taken("198.51.100.1", 1), 1);
}

TEST_F(AttemptsTest, WhatIsGivenBackCountsNoMore) {
  limits = hourly(60, 15, 15);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(taken("192.0.2.1", 15), 15) << i;
    attempts.give_back(origin_of("192.0.2.1"), 15, limits, now);
  }
  EXPECT_EQ(taken("2001:db8:1:1::1", 15), 15);
  EXPECT_EQ(taken("2001:db8:1:2::1", 15), 15);
  EXPECT_EQ(taken("2001:db8:1:3::1", 1), 0);
  attempts.give_back(origin_of("2001:db8:1:2::1"), 15, limits, now);
  EXPECT_EQ(taken("2001:db8:1:3::1", 100), 15) << "nor for the wider network";
}

/// Giving back cannot save up attempts: no client owes less than nothing.
TEST_F(AttemptsTest, NoMoreIsGivenBackThanIsOwed) {
  EXPECT_EQ(taken("192.0.2.1", 4), 4);
  attempts.give_back(origin_of("192.0.2.1"), 1000, limits, now);
  attempts.give_back(origin_of("192.0.9.9"), 1000, limits, now);
  EXPECT_EQ(taken("192.0.2.1", 100), 10);
  EXPECT_EQ(taken("192.0.9.9", 100), 10);
}

TEST_F(AttemptsTest, ACountOfZeroLimitsNothing) {
  limits = {.total = kNone, .per_client = kNone, .per_network = kNone};
  EXPECT_EQ(taken("192.0.2.1", 1000), 1000);
  attempts.give_back(origin_of("192.0.2.1"), 10, limits, now);
  limits = hourly(0, 0, 20);
  EXPECT_EQ(taken("192.0.2.1", 1000), 20);
  limits = hourly(400, 0, 0);
  EXPECT_EQ(taken("192.0.5.1", 1000), 100) << "save a quarter of the whole";
  EXPECT_FALSE(attempts.take({}, hourly(1, 1, 1), now)) << "who is not counted is not limited";
  EXPECT_FALSE(attempts.take({}, hourly(1, 1, 1), now));
}

TEST_F(AttemptsTest, AReloadToLessLetsNobodyWaitForLongerThanItsSpan) {
  limits = hourly(0, 10'000, 10'000);
  EXPECT_EQ(taken("192.0.2.1", 5000), 5000);
  limits = hourly(0, 10, 10);
  EXPECT_EQ(taken("192.0.2.1", 1), 0);
  now += 30min;
  EXPECT_EQ(taken("192.0.2.1", 100), 5);
  limits = hourly(0, 10'000, 10'000);
  EXPECT_EQ(taken("192.0.2.1", 20'000), 9990);
}

TEST_F(AttemptsTest, ShardsCountOneClientTogether) {
  limits = hourly(0, 5000, 5000);
  std::atomic<int> let_through = 0;
  {
    std::vector<std::jthread> shards;
    for (int shard = 0; shard < 4; ++shard) {
      shards.emplace_back([&] {
        for (int i = 0; i < 4000; ++i) let_through += used_up("192.0.2.1") ? 0 : 1;
      });
    }
  }
  EXPECT_GE(let_through, 5000);
  EXPECT_LE(let_through, 5004) << "those that asked at the same moment";
}

}  // namespace
}  // namespace relay::inbound
