#include "relay/delivery/connections.hpp"

#include <gtest/gtest.h>

#include "tests/delivery/a_host_list.hpp"

namespace relay::delivery {
namespace {

using namespace std::chrono_literals;

const base::SteadyTime kStart{std::chrono::hours(100)};

class ConnectionsTest : public testing::Test {
 protected:
  ConnectionsTest() {
    Limits limits = limits_of(Policy(*mail::Domain::parse("mx.fwd.example")));
    limits.groups = 2;
    connections_.set_policy(nullptr, limits);
  }

  /// A group that has said how much it takes.
  GroupPtr learn(const std::string& hosts, base::SteadyTime now) {
    connections_.see(now);
    const HostList list = a_host_list(hosts);
    auto group = connections_.group_for(list, false);
    group->hear({.took = true, .stated = {.recipients = 3}}, list.key, 0, 20, 30s, now);
    return group;
  }

  std::size_t limit_of(const std::string& hosts) {
    return connections_.group_for(a_host_list(hosts), false)->learnt.recipients;
  }

  Claims claims_;
  Lanes lanes_{claims_, [] {}};
  Dice dice_{1};
  FailingHosts failing_{dice_};
  Connections connections_{{}, lanes_, failing_, [](const LanePtr&, Deferred&) {}};
};

TEST_F(ConnectionsTest, OfTooManyGroupsThoseLeastRecentlyUsedAreForgotten) {
  learn("a1", kStart);
  learn("b2", kStart + 1s);
  learn("c3", kStart + 2s);
  connections_.forget_groups();
  EXPECT_EQ(connections_.groups(), 2U);
  EXPECT_EQ(limit_of("b2"), 3U) << "what was learnt of the others is kept";
  EXPECT_EQ(limit_of("c3"), 3U);
  EXPECT_EQ(limit_of("a1"), 0U);
}

TEST_F(ConnectionsTest, AGroupInUseIsNotForgotten) {
  const auto in_use = learn("a1", kStart);
  const auto too = learn("b2", kStart + 1s);
  const auto three = learn("c3", kStart + 2s);
  connections_.forget_groups();
  EXPECT_EQ(connections_.groups(), 3U);
}

TEST_F(ConnectionsTest, WhatKnowsNothingIsForgottenFirst) {
  learn("a1", kStart);
  learn("b2", kStart + 1s);
  connections_.see(kStart + 2s);
  limit_of("c3");
  connections_.forget_groups();
  EXPECT_EQ(connections_.groups(), 2U);
  EXPECT_EQ(limit_of("a1"), 3U);
}

}  // namespace
}  // namespace relay::delivery
