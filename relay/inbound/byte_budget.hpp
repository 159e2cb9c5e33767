// Memory for content that is coming in, shared by all sessions: many big messages at once
// make the server say 452, not grow.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace relay::inbound {

class ByteBudget {
 public:
  explicit ByteBudget(std::uint64_t octets) : left_(static_cast<std::int64_t>(octets)) {}

  /// Takes `octets`, or takes nothing and returns false. Thread-safe, as is give().
  bool take(std::uint64_t octets) {
    const auto wanted = static_cast<std::int64_t>(octets);
    if (left_.fetch_sub(wanted, std::memory_order_relaxed) >= wanted) return true;
    left_.fetch_add(wanted, std::memory_order_relaxed);
    return false;
  }

  void give(std::uint64_t octets) {
    left_.fetch_add(static_cast<std::int64_t>(octets), std::memory_order_relaxed);
  }

  std::int64_t left() const { return left_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> left_;
};

/// What one message holds of the budget; gives it back when it dies.
class ByteShare {
 public:
  explicit ByteShare(ByteBudget& budget) : budget_(budget) {}

  ByteShare(const ByteShare&) = delete;
  ByteShare& operator=(const ByteShare&) = delete;

  ~ByteShare() { budget_.give(held_); }

  /// Makes sure that `octets` are held. False: the budget is exhausted, nothing changed.
  bool grow_to(std::uint64_t octets) {
    if (octets <= held_) return true;
    if (!budget_.take(octets - held_)) return false;
    held_ = octets;
    return true;
  }

 private:
  ByteBudget& budget_;
  std::uint64_t held_ = 0;
};

}  // namespace relay::inbound
