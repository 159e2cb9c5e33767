// The lanes in memory: how many copies each may hold, and which have more on disk. Internal to the
// dispatcher, whose lock guards it.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "relay/delivery/claims.hpp"
#include "relay/delivery/lane.hpp"
#include "relay/delivery/limits.hpp"

namespace relay::delivery {

/// Calls to make after the lock is released.
using Deferred = std::vector<std::move_only_function<void()>>;

/// A lane to be read from disk, and how many copies it has room for.
struct Refill {
  ports::LaneKey lane;
  std::optional<ports::DueCursor> after;
  std::size_t room = 0;
};

class Lanes {
 public:
  /// `refill`: called when wants_refill() has work.
  Lanes(Claims& claims, std::function<void()> refill)
      : claims_(claims), refill_(std::move(refill)) {}

  void set_limits(const Limits& limits) { limits_ = limits; }

  /// Creates the lane if needed; nullptr: there is no room for another.
  LanePtr lane_for(const ports::LaneKey& key);
  LanePtr find(const ports::LaneKey& key) const;

  /// How many more copies the lane may take. Every lane is guaranteed a few; the rest is shared
  /// first come, first served. A lane whose hosts are not known, or whose group times out, gets
  /// only the guaranteed ones.
  std::size_t room_in(const Lane& lane) const;

  /// To the end of the lane. If the last job is of the same message, the copies join it.
  void push_back(const LanePtr& lane, Job job);
  /// For a copy that was put off: near the front, so that it is tried when due even if many untried
  /// copies wait. At most every second job is such a copy.
  void push_again(const LanePtr& lane, Job job);
  /// In front of all others.
  void push_front(const LanePtr& lane, Job job);
  /// The next job, without withdrawn copies; nullopt: there is none.
  std::optional<Job> pop(const LanePtr& lane, Deferred& after);
  /// A server deferred the copy, which is on disk: remember it for comes_again().
  static void remember(Lane& lane, const PutOff& put_off, base::SteadyTime now);
  /// Whether it was remembered and there is room for it. Forgets it.
  bool comes_again(Lane& lane, const mail::CopyId& copy) const;
  /// Gives up the claim.
  void release(const LanePtr& lane, const mail::CopyId& copy, Deferred& after);
  /// Gives up all jobs of the lane; they stay on disk.
  void empty(const LanePtr& lane, Deferred& after);

  /// More of the lane is on disk, perhaps before its cursor.
  void overflow(const LanePtr& lane, Deferred& after);
  void want_refill(const LanePtr& lane, Deferred& after);
  std::vector<Refill> wants_refill(std::size_t at_most);
  void refilled(const LanePtr& lane, std::optional<ports::DueCursor> after_row, Deferred& after);

  /// Forgets lanes without jobs, backlog or other state.
  void forget_empty(base::SteadyTime now, Deferred& after);

  /// Lanes found no room, and there is room again. True only once.
  bool may_look_again() { return std::exchange(has_room_again_, false); }

  std::size_t size() const { return lanes_.size(); }

  void for_each(const std::function<void(const LanePtr&)>& what) const;

 private:
  // Lines in refills_.
  static constexpr std::size_t kEmpty = 0;
  static constexpr std::size_t kOthers = 1;

  std::size_t& copies(const Lane& lane) { return copies_[lane.key.risk_pool ? 1 : 0]; }

  std::size_t copies(const Lane& lane) const { return copies_[lane.key.risk_pool ? 1 : 0]; }

  std::size_t most_of(const Lane& lane) const {
    return lane.key.risk_pool ? limits_.memory.risk_copies : limits_.memory.copies;
  }

  void count(Lane& lane, const Job& job, bool comes);
  LanePtr next_refill();
  bool join(const LanePtr& lane, std::size_t at, const Job& job);

  Claims& claims_;
  std::function<void()> refill_;
  Limits limits_;
  std::unordered_map<std::string, LanePtr> lanes_;  ///< by name_of(key)
  /// Lanes to read the queue for: first those that have nothing to deliver meanwhile.
  std::array<std::deque<std::weak_ptr<Lane>>, 2> refills_;
  std::array<std::size_t, 2> copies_{};  ///< ordinary and risk pool
  std::size_t fresh_octets_ = 0;
  bool left_out_ = false;  ///< a lane found no room
  bool has_room_again_ = false;
};

}  // namespace relay::delivery
