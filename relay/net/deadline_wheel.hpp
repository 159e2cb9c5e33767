// The deadlines of a shard on one timer. An operation that waits links an Alarm into the wheel and
// unlinks it when it ends: two pointer swaps, no allocation, no system call. The price is
// precision: an alarm rings up to two ticks late, never early.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <boost/asio/io_context.hpp>

#include "relay/base/task.hpp"
#include "relay/base/time.hpp"

namespace relay::net {

/// Something that waits and can be interrupted.
class Interruptible {
 public:
  /// Makes outstanding waits end soon. Must not resume any of them before it returns.
  virtual void interrupt() noexcept = 0;

 protected:
  ~Interruptible() = default;
};

class DeadlineWheel {
 public:
  class Alarm;

  static constexpr std::chrono::milliseconds kTick{100};

  /// `io` may still be under construction; it is first used when the first alarm is set. The wheel
  /// must outlive it, because coroutines destroyed with `io` take their alarms off the wheel.
  explicit DeadlineWheel(boost::asio::io_context& io);
  DeadlineWheel(const DeadlineWheel&) = delete;
  DeadlineWheel& operator=(const DeadlineWheel&) = delete;

  std::size_t armed() const { return armed_; }

  /// `io` is about to be destroyed: no alarm rings from here on.
  void end() noexcept { ended_ = true; }

 private:
  /// Link of a ring; each slot is a ring whose head is no alarm.
  struct Link {
    Link* previous = this;
    Link* next = this;
  };

  // 512 slots: one lap takes 51 s. Longer deadlines are passed over once a lap.
  static constexpr std::uint64_t kSlots = 512;

  void arm(Alarm& alarm);
  void disarm(Alarm& alarm) noexcept;
  base::Task<> tick();
  void stop_ticking() noexcept;
  void ring_due(base::SteadyTime now);
  void ring_slot(Link& slot, base::SteadyTime now);
  std::uint64_t tick_of(base::SteadyTime at) const;

  boost::asio::io_context& io_;
  const base::SteadyTime origin_;
  std::uint64_t last_tick_ = 0;  ///< all slots up to this tick have been checked
  std::size_t armed_ = 0;
  bool ticking_ = false;
  bool ended_ = false;
  std::array<Link, kSlots> slots_;
};

/// Guards one wait; lives in the frame of the waiting coroutine. If the deadline passes first, or
/// its cut is made, the target is interrupted and rang() stays true: so a deadline is not lost even
/// if there was no wait to interrupt.
class DeadlineWheel::Alarm : private Link {
 public:
  /// Throws std::bad_alloc if the timer does not run yet and there is no memory to start it; the
  /// alarm is then not on the wheel.
  Alarm(DeadlineWheel& wheel, base::Deadline deadline, Interruptible& target);
  ~Alarm();
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  bool rang() const { return rang_; }

 private:
  friend class DeadlineWheel;

  void ring() noexcept;

  DeadlineWheel& wheel_;
  const base::SteadyTime at_;
  Interruptible& target_;
  std::optional<base::Cut::Wait> cut_;  ///< most deadlines have none
  bool linked_ = false;
  bool rang_ = false;
};

}  // namespace relay::net
