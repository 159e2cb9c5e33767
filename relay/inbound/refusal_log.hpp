// The log of refusals, limited per client network: a flood of refused commands must not become a
// flood of lines. The lines left out are counted and reported.
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
  /// For one network: lines at once, and refilled at so many a minute.
  static constexpr base::Rate kRate{.count = 300, .span = std::chrono::seconds(60)};

  explicit RefusalLog(base::Log& log) : log_(log) {}

  void write(const base::Origin& origin, base::Event event, base::SteadyTime now);

  /// The caller notes there every refusal caused by this host, whether it gets a line or not.
  HostTroubles& troubles() { return troubles_; }

  const HostTroubles& troubles() const { return troubles_; }

  /// Writes one `suppressed` event for each network whose lines were left out since the last call.
  void tell_suppressed(base::WallTime now);

 private:
  static constexpr std::size_t kMaxNetworks = 4096;  ///< others are counted together as "others"

  base::Log& log_;
  HostTroubles troubles_;
  FairRate rates_;
  std::mutex mutex_;
  std::map<std::string, std::int64_t> suppressed_;
};

}  // namespace relay::inbound
