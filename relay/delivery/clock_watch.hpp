// Detects when the wall clock is set, so that no decision is based on a wrong age.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <utility>

#include "relay/delivery/retry_schedule.hpp"
#include "relay/ports/clock.hpp"

namespace relay::ports {
class DeliveryQueue;
}

namespace relay::delivery {

/// Compares the queue's wall clock with the steady clock at every reading. Whoever judges an age
/// must take the time and the trust from one reading: a jump between two periodic checks would go
/// unnoticed. Any thread.
class ClockWatch {
 public:
  struct Reading {
    base::WallTime now;
    ClockTrust trust;
  };

  /// `on_jump` is called on the thread that detects a jump, before its read() returns.
  ClockWatch(const ports::DeliveryQueue& queue, const ports::Clock& clock,
             std::function<void(base::WallTime now, std::chrono::milliseconds by)> on_jump)
      : queue_(queue), clock_(clock), on_jump_(std::move(on_jump)) {}

  Reading read();

 private:
  struct Moment {
    base::WallTime wall;
    std::chrono::milliseconds offset;  ///< wall minus steady
  };

  Moment look() const;

  const ports::DeliveryQueue& queue_;
  const ports::Clock& clock_;
  std::function<void(base::WallTime, std::chrono::milliseconds)> on_jump_;
  std::mutex mutex_;
  bool has_begun_ = false;
  std::chrono::milliseconds offset_{0};  ///< of the last reading
  ClockTrust trust_;
};

}  // namespace relay::delivery
