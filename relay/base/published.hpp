// One value that many threads read and one thread replaces, such as a snapshot of the settings.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace relay::base {

/// Readers take a shared_ptr and keep it for as long as their session or message lasts; publish()
/// replaces the whole value, so nobody ever sees half of a reload.
template <class T>
class Published {
 public:
  explicit Published(std::shared_ptr<const T> first) : value_(std::move(first)) {}

  /// Reads a member of what `whole` publishes: all members of one snapshot change at the same
  /// instant. `whole` must outlive this. Pointers that get() returns keep the whole snapshot alive,
  /// so that its parts are freed together with it.
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

  /// Precondition: this was not made from a `whole`.
  void publish(std::shared_ptr<const T> next) {
    value_.store(std::move(next), std::memory_order_release);
  }

 private:
  std::atomic<std::shared_ptr<const T>> value_;
  const std::function<std::shared_ptr<const T>()> read_;  ///< set when made from a `whole`
};

}  // namespace relay::base
