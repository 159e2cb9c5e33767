// The name of a lane.
#pragma once

#include <compare>
#include <string>

namespace relay::ports {

/// The copies for one target domain that leave by one pool. Listings are sorted by these fields.
struct LaneKey {
  std::string domain;  ///< folded
  bool risk_pool = false;

  friend auto operator<=>(const LaneKey&, const LaneKey&) = default;
};

}  // namespace relay::ports
