// The lanes in memory: how many copies each may hold, and what of it is on disk only. Internal to
// the dispatcher, whose lock guards it.
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

/// What is to be called once the lock is open.
using Deferred = std::vector<std::move_only_function<void()>>;

/// A lane of which more is to be read from disk, and how much there is room for.
struct Refill {
  ports::LaneKey lane;
  std::optional<ports::DueCursor> after;
  std::size_t room = 0;
};

class Lanes {
 public:
  /// `refill`: wants_refill() has something to say.
  Lanes(Claims& claims, std::function<void()> refill)
      : claims_(claims), refill_(std::move(refill)) {}

  void set_limits(const Limits& limits) { limits_ = limits; }

  /// Made when missing; nullptr: there is no room for another one.
  LanePtr lane_for(const ports::LaneKey& key);
  LanePtr find(const ports::LaneKey& key) const;

  /// Copies that may still come in. Every lane may hold a few, however many others hold; the rest
  /// goes to who takes it. Who runs into timeouts keeps the few.
  std::size_t room_in(const Lane& lane) const;

  /// To the end of the lane. Copies of the message that stands there join it: one transaction.
  void push_back(const LanePtr& lane, Job job);
  /// For a copy that was put off: behind one of the jobs in front, so that it is tried when it is
  /// due however many wait that were never tried. Every second job at most.
  void push_again(const LanePtr& lane, Job job);
  /// In front of all others.
  void push_front(const LanePtr& lane, Job job);
  /// The next job without what was withdrawn meanwhile; nullopt: there is none.
  std::optional<Job> pop(const LanePtr& lane, Deferred& after);
  /// A server has put the copy off, and so it is on disk: it is known again when it is due.
  static void remember(Lane& lane, const PutOff& put_off, base::SteadyTime now);
  /// Whether it was remembered, and there is room for it; then no more.
  bool comes_again(Lane& lane, const mail::CopyId& copy) const;
  /// The copy was recorded, or is left to the disk.
  void release(const LanePtr& lane, const mail::CopyId& copy, Deferred& after);
  /// All its jobs go back to the disk.
  void empty(const LanePtr& lane, Deferred& after);

  /// More of the lane is on disk, perhaps before the place up to which it was read.
  void overflow(const LanePtr& lane, Deferred& after);
  void want_refill(const LanePtr& lane, Deferred& after);
  std::vector<Refill> wants_refill(std::size_t at_most);
  void refilled(const LanePtr& lane, std::optional<ports::DueCursor> after_row, Deferred& after);

  /// Those of which nothing is in memory.
  void forget_empty(base::SteadyTime now, Deferred& after);

  /// Lanes found no room, and there is some again: true once.
  bool may_look_again() { return std::exchange(has_room_again_, false); }

  std::size_t size() const { return lanes_.size(); }

  void for_each(const std::function<void(const LanePtr&)>& what) const;

 private:
  std::size_t& copies(const Lane& lane) { return copies_[lane.key.risk_pool ? 1 : 0]; }

  std::size_t copies(const Lane& lane) const { return copies_[lane.key.risk_pool ? 1 : 0]; }

  std::size_t most_of(const Lane& lane) const {
    return (lane.key.risk_pool ? limits_.risk : limits_.ordinary).copies;
  }

  void count(Lane& lane, const Job& job, bool comes);
  bool join(const LanePtr& lane, std::size_t at, const Job& job);

  Claims& claims_;
  std::function<void()> refill_;
  Limits limits_;
  std::unordered_map<std::string, LanePtr> lanes_;  ///< by name of the key
  std::deque<std::weak_ptr<Lane>> refills_;
  std::array<std::size_t, 2> copies_{};  ///< of the ordinary and of the risk pool
  std::size_t fresh_octets_ = 0;
  bool left_out_ = false;  ///< a lane, for want of room
  bool has_room_again_ = false;
};

}  // namespace relay::delivery
