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

  Limits limits_;
  Claims claims_;
  Lanes lanes_{claims_, [] {}};
  HostList list_ = a_host_list("a1 b2");
  GroupPtr group_ = std::make_shared<Group>(list_, false);
};

/// What a silent server keeps waiting is memory that others could use.
TEST_F(LanesTest, WhoTimesOutHoldsAFew) {
  const LanePtr lane = lane_of(group_, "x.example");
  EXPECT_EQ(lanes_.room_in(*lane), limits_.memory.copies_per_lane);
  hear({.timed_out = true});
  EXPECT_EQ(lanes_.room_in(*lane), limits_.memory.guaranteed_copies);
  hear({.took = true, .timed_out = true});
  EXPECT_EQ(lanes_.room_in(*lane), limits_.memory.copies_per_lane);
}

}  // namespace
}  // namespace relay::delivery
