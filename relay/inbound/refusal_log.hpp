// The log of refusals, so many lines for each client network: a flood of refused commands must not
// become a flood of lines. What was left out is counted and told.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "relay/base/log.hpp"
#include "relay/inbound/fair_share.hpp"
#include "relay/inbound/host_troubles.hpp"

namespace relay::inbound {

/// Thread-safe.
class RefusalLog {
 public:
  /// Lines at once, and as many again each minute, for one network.
  static constexpr base::Rate kRate{.count = 300, .span = std::chrono::seconds(60)};

  explicit RefusalLog(base::Log& log) : log_(log) {}

  void write(const base::Origin& origin, base::Event event, base::SteadyTime now);

  /// Every refusal that is this host's fault is to be noted there, whether it gets a line or not.
  HostTroubles& troubles() { return troubles_; }

  const HostTroubles& troubles() const { return troubles_; }

  /// One `suppressed` line for each network that had lines left out since the last call.
  void tell_suppressed(base::WallTime now);

 private:
  static constexpr std::size_t kMaxNetworks = 4096;  ///< further ones are counted together

  base::Log& log_;
  HostTroubles troubles_;
  FairRate rates_;
  std::mutex mutex_;
  std::map<std::string, std::int64_t> suppressed_;
};

}  // namespace relay::inbound
