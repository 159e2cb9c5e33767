#include "relay/delivery/lookups.hpp"

#include <utility>

namespace relay::delivery {

void Lookups::set_limits(const Limits& limits) {
  limits_ = limits;
  places_.set_limit(limits.lookups);
}

void Lookups::want(const LanePtr& lane) {
  lane->lookup = Lane::Lookup::Wanted;
  lane->lookup_share = is_known(lane->key.domain) ? Share::Proven : Share::Unknown;
  if (lane->has_silent_dns) lane->lookup_share = Share::Slow;
  line(lane->lookup_share).push_back(lane);
}

/// Its entry in the old line stays, and is passed over.
void Lookups::is_known_now(const LanePtr& lane) {
  lane->has_silent_dns = false;
  if (lane->lookup != Lane::Lookup::Wanted || lane->lookup_share == Share::Proven) return;
  lane->lookup_share = Share::Proven;
  line(Share::Proven).push_back(lane);
}

/// The first lane that still waits there; nullptr: there is none.
LanePtr Lookups::front_of(Share share) {
  Line& waiting = line(share);
  while (!waiting.empty()) {
    LanePtr lane = waiting.front().lock();
    if (lane && lane->lookup == Lane::Lookup::Wanted && lane->lookup_share == share) return lane;
    waiting.pop_front();
  }
  return nullptr;
}

/// Proven ones may use places beyond their half only while no unknown one waits.
bool Lookups::has_room(Share share) {
  const bool others_wait = places_.has_room(Share::Unknown) && front_of(Share::Unknown) != nullptr;
  return places_.has_room(share) && !(others_wait && places_.would_borrow(share));
}

LanePtr Lookups::next(base::SteadyTime now) {
  for (const Share share : {Share::Proven, Share::Unknown, Share::Slow}) {
    LanePtr lane = front_of(share);
    if (!lane || !has_room(share)) continue;
    line(share).pop_front();
    places_.take(share);
    lane->lookup = Lane::Lookup::Running;
    lane->lookup_began = now;
    return lane;
  }
  return nullptr;
}

void Lookups::leave(Lane& lane) {
  places_.leave(lane.lookup_share);
  lane.lookup = Lane::Lookup::Idle;
}

void Lookups::found(Lane& lane) {
  leave(lane);
  lane.lookup_failures = 0;
  lane.has_silent_dns = false;
  remember(lane.key.domain);
}

void Lookups::failed_for_good(Lane& lane) {
  leave(lane);
  lane.has_silent_dns = false;
  remember(lane.key.domain);
}

bool Lookups::found_in_part(Lane& lane) {
  leave(lane);
  lane.has_silent_dns = true;
  if (lane.lookup_share != Share::Slow) return false;
  lane.lookup_failures = 0;
  return true;
}

bool Lookups::failed_for_now(Lane& lane, base::SteadyTime now) {
  leave(lane);
  forget(lane.key.domain);
  // One silent server among others has used up half of the time, or more.
  const bool was_silent =
      now - lane.lookup_began >= std::chrono::milliseconds(limits_.quick_lookup) / 3;
  const bool had_whole_time = lane.lookup_share == Share::Slow;
  lane.has_silent_dns = was_silent;
  if (was_silent && !had_whole_time) return false;
  ++lane.lookup_failures;
  return true;
}

void Lookups::remember(const std::string& domain) {
  if (const auto found = known_.find(domain); found != known_.end()) {
    domains_.splice(domains_.begin(), domains_, found->second);
    return;
  }
  if (domains_.size() >= limits_.lanes) forget(std::string(domains_.back()));
  domains_.push_front(domain);
  known_.emplace(domain, domains_.begin());
}

void Lookups::forget(const std::string& domain) {
  const auto found = known_.find(domain);
  if (found == known_.end()) return;
  domains_.erase(found->second);
  known_.erase(found);
}

}  // namespace relay::delivery
