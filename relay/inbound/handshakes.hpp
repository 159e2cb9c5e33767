// How many TLS handshakes run at once: each costs far more than the client that asks for it
// pays, so a flood of them is put off.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace relay::inbound {

/// Thread-safe.
class Handshakes {
 public:
  class Place {
   public:
    explicit Place(Handshakes* of) : of_(of) {}

    Place(Place&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}

    Place& operator=(Place&&) = delete;

    ~Place() {
      if (of_ != nullptr) of_->running_.fetch_sub(1, std::memory_order_relaxed);
    }

    explicit operator bool() const { return of_ != nullptr; }

   private:
    Handshakes* of_;
  };

  /// False in a boolean context: `most` are running already.
  Place enter(std::uint32_t most) {
    if (running_.fetch_add(1, std::memory_order_relaxed) < most) return Place(this);
    running_.fetch_sub(1, std::memory_order_relaxed);
    return Place(nullptr);
  }

 private:
  std::atomic<std::uint32_t> running_{0};
};

}  // namespace relay::inbound
