// A mistake that a relay might make, fed to a judge by hand.
#pragma once

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/simulation/hand_fed.hpp"

namespace relay::simulation {

struct Mistake {
  const char* name;
  Rule rule;
  void (*make)(HandFed& fed);
};

inline std::string name_of(const testing::TestParamInfo<Mistake>& info) { return info.param.name; }

/// Expects that the judge finds the mistake, among three copies of message 0: two for d0.example,
/// one for d1.example.
inline void expect_seen(const Mistake& mistake) {
  HandFed fed;
  fed.accept(0, {{.domain = 0}, {.domain = 0}, {.domain = 1}});
  mistake.make(fed);
  EXPECT_THAT(fed.broken(), testing::Contains(mistake.rule));
}

}  // namespace relay::simulation
