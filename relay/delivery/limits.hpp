// How much the delivery side keeps in memory, opens and sends at once.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "relay/base/rate_table.hpp"
#include "relay/delivery/policy.hpp"

namespace relay::delivery {

/// The same rate with bursts of at most ten seconds' worth, at least one: mail of the risk pool
/// must not leave in bursts.
base::Rate evened_out(const base::Rate& rate);

/// Limits of the ordinary or the risk pool; the two share nothing.
struct PoolLimits {
  std::size_t places = 0;  ///< connections; slow ones are counted apart
  std::size_t sessions_per_group = 0;
};

/// What depends on the policy has no value before limits_of() gives it one.
struct Limits {
  PoolLimits ordinary;
  PoolLimits risk;
  base::Rate risk_rate;  ///< copies, per group
  MemoryLimits memory;
  std::size_t lanes = 20'000;
  std::size_t groups = 50'000;
  std::size_t lookups = 0;  ///< at once; those that take long are counted apart
  std::size_t clerks = 50;  ///< that answer without an attempt, at once
  std::chrono::seconds keep_open{};
  std::chrono::seconds slow_after{10};
  std::chrono::seconds quick_lookup{3};            ///< the time of a first try
  std::chrono::seconds whole_lookup{};             ///< … of the second
  std::chrono::milliseconds first_outage{30'000};  ///< doubles with each failure, up to ten minutes
};

Limits limits_of(const Policy& policy);

}  // namespace relay::delivery
