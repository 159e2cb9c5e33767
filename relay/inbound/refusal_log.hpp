// The log of refusals, limited per client network: a flood of refused commands must not become a
// flood of lines. The lines left out are counted and reported.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "relay/base/log.hpp"
#include "relay/inbound/fair_rate.hpp"
#include "relay/inbound/host_troubles.hpp"
#include "relay/ports/resolver.hpp"

namespace relay::inbound {

/// Thread-safe.
class RefusalLog {
 public:
  /// For one network: lines at once, and refilled at so many a minute.
  static constexpr base::Rate kRate{.count = 300, .span = std::chrono::seconds(60)};

  /// `resolver`: for HostTroubles.
  RefusalLog(base::Log& log, const ports::Resolver& resolver) : log_(log), troubles_(resolver) {}

  void write(const base::Origin& origin, base::Event event, base::SteadyTime now);

  /// The caller notes there every refusal caused by this host, whether it gets a line or not.
  HostTroubles& troubles() { return troubles_; }

  const HostTroubles& troubles() const { return troubles_; }

  /// The caller notes there every message whose content was refused for its form or size.
  void note_malformed() noexcept { malformed_.fetch_add(1, std::memory_order_relaxed); }

  /// How many, since the process started.
  std::uint64_t malformed() const noexcept { return malformed_.load(std::memory_order_relaxed); }

  /// Writes one `suppressed` event for each network whose lines were left out since the last call.
  void tell_suppressed(base::WallTime now);

 private:
  static constexpr std::size_t kMaxNetworks = 4096;  ///< others are counted together as "others"

  base::Log& log_;
  HostTroubles troubles_;
  std::atomic<std::uint64_t> malformed_{0};
  FairRate rates_;
  std::mutex mutex_;
  std::map<std::string, std::int64_t> suppressed_;
};

}  // namespace relay::inbound
