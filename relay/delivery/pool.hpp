// The places of one pool, its idle sessions, and the groups that wait in line (guarantee "A dead
// destination holds nobody up"). Internal to the dispatcher, whose lock guards it.
#pragma once

#include <array>
#include <deque>
#include <list>
#include <memory>
#include <vector>

#include "relay/delivery/group.hpp"
#include "relay/delivery/limits.hpp"
#include "relay/delivery/places.hpp"

namespace relay::delivery {

using PlacePtr = std::shared_ptr<Place>;

class Pool {
 public:
  void set_limits(const PoolLimits& limits) {
    limits_ = limits;
    places_.set_limit(limits.places);
  }

  const PoolLimits& limits() const { return limits_; }

  const Places& places() const { return places_; }

  std::size_t idle() const { return idle_.size(); }

  /// The share in which a new session of the group begins. Where there is one place only, nothing
  /// can be kept for proven groups: they stand in one line with all others.
  Share share_for(const Group& group, base::SteadyTime now) const;

  bool has_room(Share share) const;

  PlacePtr open(base::Executor executor, const GroupPtr& group, Share share);
  void close(const PlacePtr& place);

  /// Between two jobs: moves the session to the share its group belongs to. False: there is no
  /// room, and the session must end.
  bool settle_in(Place& place, base::SteadyTime now);

  /// A group waits for this share, or for the share whose places this session uses.
  bool must_yield(const Place& place) const;

  void stand_in_line(const GroupPtr& group, Share share);

  /// The next group in line with room in its share; nullptr: none.
  GroupPtr next_in_line();

  bool anybody_waits(Share share) const { return !line(share).empty(); }

  /// Moves sessions that have waited for their peers longer than `after` to Share::Slow, which
  /// frees their places. If there is no slow place and groups wait, the slow session that waits
  /// longest before its end of data must be cut off to make room. Returns those to cut off.
  std::vector<PlacePtr> sweep(base::SteadyTime now, std::chrono::seconds after);

  // Sessions waiting for work with an open connection, the longest waiting first.
  void rest(IdleSession session);
  IdleSession wake_newest(Group& group);
  /// One whose time is over at `now`; if `now` is nullopt, the one that waited longest.
  std::optional<IdleSession> wake_oldest(std::optional<base::SteadyTime> now);
  /// An idle session to end so that a group in line gets its place; nullopt: none would help, or
  /// enough are ending already.
  std::optional<IdleSession> wake_for_others();

 private:
  using Line = std::deque<std::weak_ptr<Group>>;

  Line& line(Share share) { return lines_[static_cast<std::size_t>(share)]; }

  const Line& line(Share share) const { return lines_[static_cast<std::size_t>(share)]; }

  void move(Place& place, Share to);
  bool gives_room_to(const Place& place, Share share) const;
  IdleSession wake(std::list<IdleSession>::iterator entry);
  PlacePtr longest_waiting_slow(base::SteadyTime now) const;

  PoolLimits limits_;
  Places places_;
  std::array<Line, 3> lines_;
  std::list<PlacePtr> open_;
  std::list<IdleSession> idle_;
  std::size_t full_time_ = 0;  ///< slow sessions that are never cut off
  std::size_t ending_ = 0;     ///< ended for others, not closed yet
};

}  // namespace relay::delivery
