// A House whose clients come from wherever a test says, and whose policy a test may change.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/inbound/house.hpp"

namespace relay::inbound {

inline constexpr const char* kMessage = "From: ann@sender.example\r\nSubject: x\r\n\r\nx\r\n.\r\n";

class ServedHouse : public testing::Test {
 protected:
  explicit ServedHouse(Limits limits = {}) : house(limits, true) {}

  /// Ends the sessions that still wait, and their lookups.
  void TearDown() override {
    house.acceptor.drain();
    house.poll();
    house.clock.advance(std::chrono::seconds(2));
    house.poll();
    EXPECT_EQ(house.acceptor.sessions(), 0U);
  }

  template <class Change>
  void change(Change what) {
    auto policy = std::make_shared<Policy>(*house.policy.get());
    what(*policy);
    house.policy.publish(std::move(policy));
  }

  std::shared_ptr<fakes::Wire> from(const std::string& peer, std::vector<std::string> segments) {
    auto wire = house.dial(std::move(segments), peer);
    house.poll();
    return wire;
  }

  House house;
};

}  // namespace relay::inbound
