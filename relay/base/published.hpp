// One value that many threads read and one replaces: settings snapshots.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace relay::base {

/// Readers take a shared_ptr and keep it as long as their session or message lasts; publish()
/// swaps the whole value, so nobody ever sees half of a reload.
template <class T>
class Published {
 public:
  explicit Published(std::shared_ptr<const T> first) : value_(std::move(first)) {}

  /// A part of what another one publishes, which outlives this: all parts change at one instant.
  /// What is read keeps the whole, so that one owner decides where the whole is freed.
  template <class Whole>
  Published(const Published<Whole>& whole,
            std::shared_ptr<const T> std::type_identity_t<Whole>::* part)
      : read_([&whole, part] {
          auto held = whole.get();
          const T* const value = (held.get()->*part).get();
          return std::shared_ptr<const T>(std::move(held), value);
        }) {}

  std::shared_ptr<const T> get() const {
    return read_ ? read_() : value_.load(std::memory_order_acquire);
  }

  /// Not for a part.
  void publish(std::shared_ptr<const T> next) {
    value_.store(std::move(next), std::memory_order_release);
  }

 private:
  std::atomic<std::shared_ptr<const T>> value_;
  const std::function<std::shared_ptr<const T>()> read_;  ///< of a part
};

}  // namespace relay::base
