// Ends somebody's sleep before its time.
#pragma once

#include <functional>
#include <mutex>
#include <utility>

namespace relay::base {

/// One sleeper at a time (ports::Clock::sleep_until). A ring that finds nobody asleep is kept for
/// the next sleep, which then does not begin. Thread-safe.
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

  /// For clocks. `wake` is called once, by the thread that rings; false: it has rung already, and
  /// that ring is used up.
  bool arm(std::function<void()> wake) {
    const std::lock_guard lock(mutex_);
    if (std::exchange(rung_, false)) return false;
    wake_ = std::move(wake);
    return true;
  }

  /// For clocks: the sleep is over. Rings from now on are kept; those it was woken by are used up.
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
