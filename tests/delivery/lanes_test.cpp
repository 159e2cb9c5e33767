#include "relay/delivery/lanes.hpp"

#include <memory>

#include <gtest/gtest.h>

#include "relay/delivery/group.hpp"
#include "tests/delivery/a_host_list.hpp"

namespace relay::delivery {
namespace {

using namespace std::chrono_literals;

const base::SteadyTime kStart{std::chrono::hours(100)};

class LanesTest : public testing::Test {
 protected:
  LanesTest() { lanes_.set_limits(limits_); }

  LanePtr lane_of(const GroupPtr& group, const std::string& domain) {
    LanePtr lane = lanes_.lane_for({domain, false});
    lane->group = group;
    lane->hosts = std::make_shared<const HostList>(list_);
    return lane;
  }

  void hear(const Feedback& feedback) {
    group_->hear(feedback, list_.key, 0, 20, limits_.first_outage, kStart);
  }

  Limits limits_ = limits_of(Policy(*mail::Domain::parse("mx.fwd.example")));
  Claims claims_;
  Lanes lanes_{claims_, [] {}};
  HostList list_ = a_host_list("a1 b2");
  GroupPtr group_ = std::make_shared<Group>(list_, false);
};

/// Copies that wait for a silent server use memory that others need.
TEST_F(LanesTest, WhoTimesOutHoldsAFew) {
  const LanePtr lane = lane_of(group_, "x.example");
  EXPECT_EQ(lanes_.room_in(*lane), limits_.memory.copies_per_lane);
  hear({.timed_out = true});
  EXPECT_EQ(lanes_.room_in(*lane), limits_.memory.guaranteed_copies);
  hear({.took = true, .timed_out = true});
  EXPECT_EQ(lanes_.room_in(*lane), limits_.memory.copies_per_lane);
}

/// Many lanes may hold copies, and wait for servers that do not answer.
TEST_F(LanesTest, WhoHoldsNothingIsReadFirst) {
  Deferred after;
  std::vector<LanePtr> waiting;
  for (const char* domain : {"w1", "w2", "w3"}) {
    const LanePtr lane = lane_of(group_, domain);
    lanes_.push_back(lane, {.id = {}, .indices = {0}, .queued = {}, .content = {}});
    lanes_.overflow(lane, after);
    waiting.push_back(lane);
  }
  const LanePtr empty = lane_of(group_, "empty");
  lanes_.overflow(empty, after);
  const auto first = lanes_.wants_refill(2);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[0].lane.domain, "empty");
  EXPECT_EQ(first[1].lane.domain, "w1");
  lanes_.overflow(empty, after);
  EXPECT_EQ(lanes_.wants_refill(1).at(0).lane.domain, "w2") << "the other one is being read";
  // Its last copy leaves while it is in line.
  EXPECT_TRUE(lanes_.pop(waiting[2], after));
  lanes_.refilled(empty, std::nullopt, after);
  const auto last = lanes_.wants_refill(5);
  ASSERT_EQ(last.size(), 2U);
  EXPECT_EQ(last[0].lane.domain, "w3");
  EXPECT_EQ(last[1].lane.domain, "empty") << "more came while it was read";
}

}  // namespace
}  // namespace relay::delivery
