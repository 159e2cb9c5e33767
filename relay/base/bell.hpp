// Wakes a sleeping task before its time.
#pragma once

#include <functional>
#include <mutex>
#include <utility>

namespace relay::base {

/// For one sleeper at a time (ports::Clock::sleep_until). A ring while nobody sleeps is kept: the
/// next sleep ends at once. Thread-safe.
class Bell {
 public:
  void ring() {
    std::function<void()> wake;
    {
      const std::lock_guard lock(mutex_);
      rung_ = true;
      wake = std::exchange(wake_, nullptr);
    }
    if (wake) wake();
  }

  /// For clocks, at the beginning of a sleep. The thread that rings calls `wake`, once. Returns
  /// false when the bell has rung already: the sleep must not begin, and that ring is used up.
  bool arm(std::function<void()> wake) {
    const std::lock_guard lock(mutex_);
    if (std::exchange(rung_, false)) return false;
    wake_ = std::move(wake);
    return true;
  }

  /// For clocks, at the end of a sleep. Rings that ended this sleep are used up; later ones are
  /// kept.
  void disarm() {
    const std::lock_guard lock(mutex_);
    if (!wake_) rung_ = false;
    wake_ = nullptr;
  }

 private:
  std::mutex mutex_;
  std::function<void()> wake_;
  bool rung_ = false;
};

}  // namespace relay::base
