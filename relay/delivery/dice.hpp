// Random numbers from one seed, for jitter and the order of equal MX hosts: repeatable in tests.
#pragma once

#include <cstdint>
#include <mutex>
#include <random>

namespace relay::delivery {

/// Thread-safe.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t roll() {
    const std::lock_guard lock(mutex_);
    return engine_();
  }

  /// In [0, 1).
  double fraction() { return static_cast<double>(roll() >> 11) * 0x1.0p-53; }

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

}  // namespace relay::delivery
