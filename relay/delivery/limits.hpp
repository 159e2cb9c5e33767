// How much the delivery side keeps in memory, opens and sends at once.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "relay/base/rate_table.hpp"
#include "relay/delivery/policy.hpp"

namespace relay::delivery {

/// The same rate, but at once no more than what goes in ten seconds: the risk pool must not show as
/// bursts. Never nothing.
base::Rate evened_out(const base::Rate& rate);

/// Of the ordinary or of the risk pool; neither takes anything away from the other.
struct PoolLimits {
  std::size_t places = 200;  ///< connections; slow ones not counted
  std::size_t sessions_per_group = 20;
  std::size_t copies = 20'000;  ///< in memory, besides what every lane is guaranteed
};

struct Limits {
  PoolLimits ordinary;
  PoolLimits risk{.places = 50, .sessions_per_group = 2, .copies = 2'000};
  base::Rate risk_rate = evened_out(RiskPool().rate);  ///< copies, of each group
  std::size_t copies_per_lane = 1'000;
  std::size_t guaranteed_copies = 10;  ///< of a lane, as long as lanes are few
  std::size_t lanes = 20'000;
  std::size_t groups = 50'000;
  std::size_t lookups = 200;  ///< at once
  std::size_t clerks = 50;    ///< who answer for outages, at once
  std::size_t fresh_octets = std::size_t{32} * 1024 * 1024;
  std::chrono::seconds keep_open{5};
  std::chrono::seconds slow_after{10};
  std::chrono::milliseconds first_outage{30'000};  ///< doubles with each failure, up to ten minutes
};

Limits limits_of(const Policy& policy);

}  // namespace relay::delivery
