#include "relay/delivery/pool.hpp"

#include <algorithm>

namespace relay::delivery {

using base::SteadyTime;

Share Pool::share_for(const Group& group, SteadyTime now) const {
  if (group.needs_full_time) return Share::Slow;
  const bool keeps_some = places_.limit() > 1;
  return keeps_some && group.is_proven(now) ? Share::Proven : Share::Unknown;
}

/// Proven groups may use places beyond their half only while no unknown group waits. Sessions that
/// begin slow are never cut off, so they get at most half of the slow places.
bool Pool::has_room(Share share) const {
  if (!places_.has_room(share)) return false;
  if (share == Share::Slow) return full_time_ < std::max<std::size_t>(places_.limit() / 2, 1);
  const bool others_wait = anybody_waits(Share::Unknown) && places_.has_room(Share::Unknown);
  return !(others_wait && places_.would_borrow(share));
}

PlacePtr Pool::open(base::Executor executor, const GroupPtr& group, Share share) {
  auto place = std::make_shared<Place>(std::move(executor), group, share);
  place->has_full_time = share == Share::Slow;
  full_time_ += place->has_full_time ? 1 : 0;
  places_.take(share);
  open_.push_back(place);
  place->entry = std::prev(open_.end());
  return place;
}

void Pool::close(const PlacePtr& place) {
  full_time_ -= place->has_full_time ? 1 : 0;
  ending_ -= place->ends_for_others ? 1 : 0;
  places_.leave(place->share);
  open_.erase(place->entry);
}

void Pool::move(Place& place, Share to) {
  places_.leave(place.share);
  places_.take(to);
  place.share = to;
}

bool Pool::settle_in(Place& place, SteadyTime now) {
  const Share wanted = share_for(*place.group, now);
  if (wanted == place.share) return true;
  if (place.share == Share::Slow) {
    if (wanted == Share::Slow || !places_.has_room(wanted)) return wanted == Share::Slow;
    full_time_ -= place.has_full_time ? 1 : 0;
    place.has_full_time = false;
  } else if (wanted == Share::Slow) {
    return false;  // its next session begins in Share::Slow
  }
  move(place, wanted);
  return true;
}

bool Pool::must_yield(const Place& place) const {
  if (anybody_waits(place.share)) return true;
  return places_.borrows(place.share) && anybody_waits(Share::Unknown);
}

void Pool::stand_in_line(const GroupPtr& group, Share share) {
  if (group->waits_in_line) return;
  group->waits_in_line = true;
  line(share).push_back(group);
}

GroupPtr Pool::next_in_line() {
  for (const Share share : {Share::Proven, Share::Unknown, Share::Slow}) {
    Line& waiting = line(share);
    while (!waiting.empty() && has_room(share)) {
      GroupPtr first = waiting.front().lock();
      waiting.pop_front();
      if (!first) continue;
      first->waits_in_line = false;
      return first;
    }
  }
  return nullptr;
}

void Pool::rest(IdleSession session) {
  Group& group = *session.place->group;
  idle_.push_back(std::move(session));
  group.idle.push_back(std::prev(idle_.end()));
}

IdleSession Pool::wake(std::list<IdleSession>::iterator entry) {
  std::erase(entry->place->group->idle, entry);
  IdleSession session = std::move(*entry);
  idle_.erase(entry);
  return session;
}

IdleSession Pool::wake_newest(Group& group) { return wake(group.idle.back()); }

std::optional<IdleSession> Pool::wake_oldest(std::optional<SteadyTime> now) {
  if (idle_.empty() || (now && idle_.front().until > *now)) return std::nullopt;
  return wake(idle_.begin());
}

/// Ending a session of another share helps only if all places together are used up, not if the
/// limit of the waiting share is.
bool Pool::gives_room_to(const Place& place, Share share) const {
  if (place.share == share) return true;
  if (place.share == Share::Slow || share == Share::Slow) return false;
  if (share == Share::Unknown) return places_.borrows(Share::Proven);
  return !anybody_waits(Share::Unknown);
}

std::optional<IdleSession> Pool::wake_for_others() {
  std::size_t in_line = 0;
  for (const Share share : {Share::Proven, Share::Unknown, Share::Slow}) {
    in_line += line(share).size();
    if (line(share).empty() || has_room(share) || ending_ >= in_line) continue;
    const auto found = std::ranges::find_if(
        idle_, [&](const IdleSession& idle) { return gives_room_to(*idle.place, share); });
    if (found == idle_.end()) continue;
    found->place->ends_for_others = true;
    ++ending_;
    return wake(found);
  }
  return std::nullopt;
}

PlacePtr Pool::longest_waiting_slow(SteadyTime now) const {
  PlacePtr longest;
  SteadyTime since = now;
  for (const PlacePtr& place : open_) {
    const bool may_be_cut = place->share == Share::Slow && !place->has_full_time &&
                            !place->cut_off && !place->is_past_dot.load();
    const auto waits = may_be_cut ? place->waits_since() : std::nullopt;
    if (!waits || *waits >= since) continue;
    since = *waits;
    longest = place;
  }
  return longest;
}

std::vector<PlacePtr> Pool::sweep(SteadyTime now, std::chrono::seconds after) {
  std::vector<PlacePtr> cut;
  const auto cut_off = [&cut](const PlacePtr& place) {
    place->cut_off = true;
    place->group->was_cut_off();
    cut.push_back(place);
  };
  for (const PlacePtr& place : open_) {
    if (place->share == Share::Slow) continue;
    // A session that was cut off ends soon. But if it sent the end of data just before, its reply
    // is awaited: move it to the slow ones like any other.
    if (place->cut_off && !place->is_past_dot.load()) continue;
    const auto waits = place->waits_since();
    if (!waits || *waits + after > now) continue;
    if (!places_.has_room(Share::Slow)) {
      const bool wanted = anybody_waits(Share::Proven) || anybody_waits(Share::Unknown);
      if (!wanted) continue;
      const PlacePtr longest = longest_waiting_slow(now);
      if (longest == nullptr) {  // all slow sessions must be awaited
        if (!place->is_past_dot.load()) cut_off(place);
        continue;
      }
      // It ends soon; its slow place is free from here on.
      cut_off(longest);
      places_.leave(Share::Slow);
      longest->share = place->share;
      places_.take(place->share);
    }
    move(*place, Share::Slow);
  }
  return cut;
}

}  // namespace relay::delivery
