// The places of one pool and the groups that stand in line for them. Internal to the dispatcher,
// whose lock guards it.
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

  /// The share in which a session of the group begins.
  static Share share_for(const Group& group, base::SteadyTime now);

  bool has_room(Share share) const;

  PlacePtr open(base::Executor executor, const GroupPtr& group, Share share);
  void close(const PlacePtr& place);

  /// Between two jobs: a session goes where its group belongs by now. False: there is no room for
  /// it, and the session is to end.
  bool settle_in(Place& place, base::SteadyTime now);

  /// Somebody of the same class waits, or of the class whose places this session uses.
  bool must_yield(const Place& place) const;

  void stand_in_line(const GroupPtr& group, Share share);

  /// The next group in line for which there is room; nullptr: nobody.
  GroupPtr next_in_line();

  bool anybody_waits(Share share) const { return !line(share).empty(); }

  /// Sessions that have waited for their peers for longer than `after` give up their places to
  /// others, and become slow. Where there is no room among the slow, the one of those that waits
  /// longest before its dot is returned: it is to be cut off. Places change hands.
  std::vector<PlacePtr> sweep(base::SteadyTime now, std::chrono::seconds after);

  // Sessions that wait with an open connection. Those that wait longest are in front.
  void rest(IdleSession session);
  IdleSession wake_newest(Group& group);
  /// One whose time is over at `now`; without `now`, whoever has waited longest.
  std::optional<IdleSession> wake_oldest(std::optional<base::SteadyTime> now);
  /// One that is to end so that somebody in line gets on; nullopt: it would help nobody, or enough
  /// of them are ending.
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
  std::size_t ending_ = 0;     ///< sessions that were woken for others, and have not ended yet
};

}  // namespace relay::delivery
