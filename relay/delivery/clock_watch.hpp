// Notices when the wall clock is set anew, so that nothing is judged by an age that is none.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <utility>

#include "relay/delivery/retry_schedule.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/delivery_queue.hpp"

namespace relay::delivery {

/// Compares the store's wall clock with the steady one at every reading. Whoever judges by an age
/// takes both the time and how far to trust it from one reading: a clock that is looked after by
/// somebody else, now and then, has jumped unseen when the next outcome is judged. For any thread.
class ClockWatch {
 public:
  struct Reading {
    base::WallTime now;
    ClockTrust trust;
  };

  /// `on_jump` is called on the thread whose reading has noticed one, before read() returns.
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
  std::chrono::milliseconds offset_{0};  ///< when last seen
  ClockTrust trust_;
};

}  // namespace relay::delivery
