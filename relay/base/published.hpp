// One value that many threads read and one replaces: settings snapshots.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

namespace relay::base {

/// Readers take a shared_ptr and keep it as long as their session or message lasts; publish()
/// swaps the whole value, so nobody ever sees half of a reload.
template <class T>
class Published {
 public:
  explicit Published(std::shared_ptr<const T> first) : value_(std::move(first)) {}

  std::shared_ptr<const T> get() const { return value_.load(std::memory_order_acquire); }

  void publish(std::shared_ptr<const T> next) {
    value_.store(std::move(next), std::memory_order_release);
  }

 private:
  std::atomic<std::shared_ptr<const T>> value_;
};

}  // namespace relay::base
