// How many may be at work at once in each share: connections, or look-ups of hosts.
#pragma once

#include <array>
#include <cstddef>

#include "relay/delivery/place.hpp"

namespace relay::delivery {

/// Proven ones may use all places and have half of them reserved; unknown ones share the other
/// half. Slow ones are counted apart and have as many places again. Not thread-safe.
class Places {
 public:
  void set_limit(std::size_t limit) { limit_ = limit < 1 ? 1 : limit; }

  /// Whether another session may begin in, or move to, this share.
  bool has_room(Share share) const;

  /// Proven sessions use places beyond their reserved half.
  bool borrows(Share share) const {
    return share == Share::Proven && used(Share::Proven) > kept_for_proven();
  }

  /// One more session of this share would do so.
  bool would_borrow(Share share) const {
    return share == Share::Proven && used(Share::Proven) >= kept_for_proven();
  }

  void take(Share share) { ++used_[index(share)]; }

  void leave(Share share) { --used_[index(share)]; }

  std::size_t used(Share share) const { return used_[index(share)]; }

  std::size_t used() const {
    return used(Share::Proven) + used(Share::Unknown) + used(Share::Slow);
  }

  std::size_t limit() const { return limit_; }

 private:
  static std::size_t index(Share share) { return static_cast<std::size_t>(share); }

  std::size_t kept_for_proven() const { return limit_ / 2; }

  std::size_t limit_ = 1;
  std::array<std::size_t, 3> used_{};
};

inline bool Places::has_room(Share share) const {
  if (share == Share::Slow) return used(Share::Slow) < limit_;
  const bool any = used(Share::Proven) + used(Share::Unknown) < limit_;
  return any && (share == Share::Proven || used(Share::Unknown) < limit_ - kept_for_proven());
}

}  // namespace relay::delivery
