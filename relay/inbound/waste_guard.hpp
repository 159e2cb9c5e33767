// Counts content that was sent but not stored, per client network (guarantee "Content that becomes
// no message is charged"): clients that break off at 99 % of the size limit again and again cost
// disk and time, so they are not admitted for a while.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "relay/inbound/fair_rate.hpp"

namespace relay::inbound {

/// Thread-safe.
class WasteGuard {
 public:
  /// `allowed`: octets at once for a network, refilled at so many an hour.
  void charge(const base::Origin& origin, std::uint64_t octets, std::uint64_t allowed,
              base::SteadyTime now) {
    wasted_.charge(origin, rate(allowed), now, static_cast<double>(octets) / kUnit);
  }

  bool exhausted(const base::Origin& origin, std::uint64_t allowed, base::SteadyTime now) {
    return !wasted_.allows(origin, rate(allowed), now);
  }

 private:
  static constexpr std::uint64_t kUnit = 1024;

  static base::Rate rate(std::uint64_t allowed) {
    constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
    return {
        .count = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(allowed / kUnit, 1, most)),
        .span = std::chrono::hours(1)};
  }

  FairRate wasted_;
};

}  // namespace relay::inbound
