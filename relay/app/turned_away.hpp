// Tells of connections that could not be taken because this process has no descriptor or memory
// left.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "relay/base/log.hpp"
#include "relay/base/time.hpp"
#include "relay/inbound/host_troubles.hpp"
#include "relay/ports/clock.hpp"

namespace relay::app {

/// Thread-safe.
class TurnedAway {
 public:
  /// At least between two lines of the log.
  static constexpr std::chrono::minutes kBetweenLines{1};

  /// All must outlive this object.
  TurnedAway(inbound::HostTroubles& troubles, base::Log& log, ports::Clock& clock)
      : troubles_(troubles), log_(log), clock_(clock) {}

  /// A listener pauses for lack of descriptors or memory. Counts it, and writes `turned_away`
  /// unless there was such a line a moment ago.
  void note(inbound::HostTrouble lack) noexcept;

 private:
  void tell(inbound::HostTrouble lack, std::uint64_t pauses);

  inbound::HostTroubles& troubles_;
  base::Log& log_;
  ports::Clock& clock_;
  std::atomic<std::uint64_t> untold_{0};  ///< pauses
  std::atomic<base::SteadyTime::rep> next_line_{base::SteadyTime::min().time_since_epoch().count()};
};

}  // namespace relay::app
