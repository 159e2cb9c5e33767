// Finds on disk what is due and not in memory.
#pragma once

#include <expected>
#include <optional>

#include "relay/delivery/dispatcher.hpp"
#include "relay/ports/clock.hpp"

namespace relay::delivery {

class QueueReader {
 public:
  QueueReader(ports::DeliveryQueue& queue, ports::Clock& clock, Dispatcher& dispatcher)
      : queue_(queue), clock_(clock), dispatcher_(dispatcher) {}

  /// Every lane that has something due, whoever forgot it. Reads a few pages at most; false: there
  /// is more, and the next call goes on with it.
  base::Task<std::expected<bool, ports::SpoolError>> look_at_lanes(bool from_the_start);

  /// What has become due since the last call.
  base::Task<std::expected<bool, ports::SpoolError>> look_at_new();

  /// More of the lanes that have room again. False: there is more to be read.
  base::Task<std::expected<bool, ports::SpoolError>> refill();

 private:
  ports::DeliveryQueue& queue_;
  ports::Clock& clock_;
  Dispatcher& dispatcher_;
  std::optional<ports::LaneKey> lane_;  ///< where the round through the lanes is
  bool is_round_over_ = true;
  std::optional<ports::DueCursor> newest_;  ///< where the last look at what is new ended
};

}  // namespace relay::delivery
