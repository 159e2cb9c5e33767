// Reads from disk what is due and not in memory.
#pragma once

#include <expected>
#include <optional>

#include "relay/delivery/dispatcher.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/spool_error.hpp"

namespace relay::ports {
class DeliveryQueue;
}

namespace relay::delivery {

class QueueReader {
 public:
  QueueReader(ports::DeliveryQueue& queue, ports::Clock& clock, Dispatcher& dispatcher)
      : queue_(queue), clock_(clock), dispatcher_(dispatcher) {}

  /// Finds every lane with due copies, even if it was forgotten in memory. Reads a few pages at
  /// most; false: there is more, and the next call continues.
  base::Task<std::expected<bool, ports::SpoolError>> look_at_lanes(bool from_the_start);

  /// Finds what became due since the last call. False: there is more.
  base::Task<std::expected<bool, ports::SpoolError>> look_at_new();

  /// Reads more of the lanes that have room again. False: there is more.
  base::Task<std::expected<bool, ports::SpoolError>> refill();

 private:
  ports::DeliveryQueue& queue_;
  ports::Clock& clock_;
  Dispatcher& dispatcher_;
  std::optional<ports::LaneKey> lane_;  ///< where the round through the lanes stands
  bool is_round_over_ = true;
  std::optional<ports::DueCursor> newest_;  ///< up to where look_at_new() has read
};

}  // namespace relay::delivery
