#include "relay/delivery/connections.hpp"

#include <algorithm>
#include <iterator>
#include <ranges>
#include <utility>

namespace relay::delivery {

using base::SteadyTime;

namespace {

constexpr unsigned kPassedOver = 4;         // then the lane is served on any connection
constexpr std::size_t kLanesLookedAt = 16;  // when searching one that suits the open connection

}  // namespace

/// Lanes and groups own each other: a lane holds its group, the group its ready lanes. Break the
/// cycle, or both would leak.
Connections::~Connections() {
  for (auto& [key, group] : groups_) group->ready.clear();
}

void Connections::set_policy(std::shared_ptr<const Policy> policy, const Limits& limits) {
  policy_ = std::move(policy);
  limits_ = limits;
  ordinary_.set_limits(limits_.ordinary);
  risk_.set_limits(limits_.risk);
}

void Connections::end(IdleSession session, Deferred& after) {
  after.push_back([resume = std::move(session.resume)]() mutable { resume(std::nullopt); });
}

GroupPtr Connections::group_for(const HostList& list, bool risk_pool) {
  auto& group = groups_[list.group];
  if (!group) group = std::make_shared<Group>(list, risk_pool);
  group->used_at = now_;
  return group;
}

void Connections::make_ready(const LanePtr& lane, Deferred& after) {
  if (!lane->is_ready) to_ring(lane);
  dispatch(lane->group, after);
}

void Connections::to_ring(const LanePtr& lane) {
  lane->is_ready = true;
  lane->passed_over = 0;
  auto& ring = lane->group->ready;
  lane->in_ring = ring.insert(ring.end(), lane);
  lane->group->ready_jobs += lane->jobs.size();
}

void Connections::not_ready(Lane& lane) {
  if (!lane.is_ready) return;
  lane.is_ready = false;
  Group& group = *lane.group;
  group.ready_jobs -= lane.jobs.size();
  group.ready.erase(lane.in_ring);  // last: it may hold the last reference to the lane
}

/// False: the group has used up its rate, and continues with a later tick.
bool Connections::may_go(const GroupPtr& group) {
  if (!waits_for_rate(*group)) return true;
  if (!std::exchange(group->is_paced, true)) paced_.push_back(group);
  return false;
}

void Connections::dispatch(const GroupPtr& group, Deferred& after, bool is_called) {
  if (is_closed_) return;
  Pool& pool = pool_of(group->risk_pool);
  while (!group->ready.empty() && may_go(group)) {
    if (!group->idle.empty()) {
      // Take the session idle for the shortest time: the others can then time out and close.
      IdleSession idle = pool.wake_newest(*group);
      std::optional<Assignment> given;
      if (!pool.must_yield(*idle.place)) given = take(group, idle.connected_to, after);
      set_at_work(*idle.place, given.has_value());
      after.push_back([resume = std::move(idle.resume), given = std::move(given)]() mutable {
        resume(std::move(given));
      });
      continue;
    }
    const std::size_t window = group->window_at(now_, pool.limits().sessions_per_group);
    if (group->sessions >= window || group->starting >= group->ready_jobs) return;
    const Share share = pool.share_for(*group, now_);
    if (!pool.has_room(share) || (pool.anybody_waits(share) && !is_called)) {
      pool.stand_in_line(group, share);
      if (auto idle = pool.wake_for_others()) end(std::move(*idle), after);
      return;
    }
    ++group->sessions;
    ++group->starting;
    PlacePtr place = pool.open(hooks_.next_shard(), group, share);
    after.push_back([this, place = std::move(place)] { hooks_.start_session(place); });
    is_called = false;
  }
}

void Connections::set_at_work(Place& place, bool is_at_work) {
  if (place.is_at_work == is_at_work) return;
  place.is_at_work = is_at_work;
  is_at_work ? ++at_work_ : --at_work_;
}

void Connections::serve_lines(Deferred& after) {
  for (Pool* pool : {&ordinary_, &risk_}) {
    while (const GroupPtr group = pool->next_in_line()) dispatch(group, after, true);
    while (auto idle = pool->wake_for_others()) end(std::move(*idle), after);
  }
}

void Connections::ask(const PlacePtr& place, std::optional<Candidate> kept, Resume resume,
                      Deferred& after) {
  const GroupPtr& group = place->group;
  Pool& pool = pool_of(group->risk_pool);
  place->is_past_dot = false;
  place->begin_job();
  const bool is_first = !std::exchange(place->has_begun, true);
  if (is_first) --group->starting;
  const std::size_t window = group->window_at(now_, pool.limits().sessions_per_group);
  const bool ends = is_closed_ || place->cut_off || group->sessions > window ||
                    (!is_first && (pool.must_yield(*place) || !pool.settle_in(*place, now_)));
  std::optional<Assignment> given;
  if (!ends) given = take(group, kept, after);
  set_at_work(*place, given.has_value());
  if (!ends && !given && kept && !pool.must_yield(*place)) {
    pool.rest({place, std::move(*kept), now_ + limits_.keep_open, std::move(resume)});
    return;
  }
  after.push_back([resume = std::move(resume), given = std::move(given)]() mutable {
    resume(std::move(given));
  });
}

void Connections::ended(const PlacePtr& place, Deferred& after) {
  const GroupPtr group = place->group;
  if (!place->has_begun) --group->starting;
  set_at_work(*place, false);
  pool_of(group->risk_pool).close(place);
  --group->sessions;
  serve_lines(after);
  dispatch(group, after);
}

void Connections::hear(const PlacePtr& place, const Assignment& assignment,
                       const Feedback& feedback, Deferred& after) {
  const GroupPtr& group = place->group;
  const std::string& list = assignment.hosts->key;
  group->hear(feedback, list, group->connected,
              pool_of(group->risk_pool).limits().sessions_per_group, limits_.first_outage, now_);
  if (group->outage_of(list, now_) != nullptr) {
    // All lanes ready with these hosts: their copies now get the outage as their answer.
    std::vector<LanePtr> waiting;
    std::ranges::copy_if(group->ready, std::back_inserter(waiting),
                         [&](const LanePtr& lane) { return lane->hosts->key == list; });
    for (const LanePtr& lane : waiting) arrange_(lane, after);
  }
  dispatch(group, after);
}

void Connections::tick(Deferred& after) {
  for (Pool* pool : {&ordinary_, &risk_}) {
    while (auto idle = pool->wake_oldest(now_)) end(std::move(*idle), after);
    for (const PlacePtr& place : pool->sweep(now_, limits_.slow_after)) {
      after.push_back(
          [place] { boost::asio::post(place->executor, [place] { place->cut.make(); }); });
    }
  }
  const auto paced = std::exchange(paced_, {});
  for (const GroupPtr& group : paced) group->is_paced = false;
  for (const GroupPtr& group : paced) dispatch(group, after);
  serve_lines(after);
}

void Connections::end_idle(Deferred& after) {
  for (Pool* pool : {&ordinary_, &risk_}) {
    while (auto idle = pool->wake_oldest(std::nullopt)) end(std::move(*idle), after);
  }
}

void Connections::forget_outages() {
  for (auto& [key, group] : groups_) group->forget_outages();
}

/// Forgets unused groups that know nothing; if there are still too many, also those unused for
/// longest.
void Connections::forget_groups() {
  const auto is_unused = [](const auto& entry) { return entry.second.use_count() == 1; };
  std::erase_if(groups_, [&](const auto& entry) {
    return is_unused(entry) && !entry.second->is_worth_keeping(now_);
  });
  if (groups_.size() <= limits_.groups) return;
  std::vector<std::pair<SteadyTime, std::string>> unused;
  for (const auto& entry : groups_) {
    if (is_unused(entry)) unused.emplace_back(entry.second->used_at, entry.first);
  }
  const std::size_t too_many = std::min(groups_.size() - limits_.groups, unused.size());
  std::ranges::nth_element(unused, unused.begin() + static_cast<std::ptrdiff_t>(too_many));
  unused.resize(too_many);
  for (const auto& [used_at, key] : unused) groups_.erase(key);
}

bool Connections::waits_for_rate(const Group& group) const {
  return group.risk_pool && !risk_used_.allows(group.key, limits_.risk_rate, now_);
}

/// The lane at the front, or one near it that suits the open connection. The front lane is passed
/// over at most kPassedOver times.
LanePtr Connections::choose_lane(Group& group, const std::optional<Candidate>& kept) {
  const LanePtr& front = group.ready.front();
  if (!kept || front->passed_over >= kPassedOver) return front;
  for (const LanePtr& lane : group.ready | std::views::take(kLanesLookedAt)) {
    if (!failing_.is_best(*kept, *lane->hosts, now_)) continue;
    if (lane != front) ++front->passed_over;
    return lane;
  }
  return front;
}

std::optional<Assignment> Connections::take(const GroupPtr& group,
                                            const std::optional<Candidate>& kept, Deferred& after) {
  while (!group->ready.empty() && may_go(group)) {
    const LanePtr lane = choose_lane(*group, kept);
    if (!is_current(*lane->hosts)) {
      not_ready(*lane);
      arrange_(lane, after);
      continue;
    }
    auto job = lanes_.pop(lane, after);
    not_ready(*lane);  // to the end of the ring, or out of it
    if (!lane->jobs.empty()) to_ring(lane);
    if (!job) continue;
    if (group->risk_pool) keep_to_rate(lane, *job);
    return Assignment{
        .lane = lane, .job = std::move(*job), .hosts = lane->hosts, .answer = std::nullopt};
  }
  return std::nullopt;
}

/// Charges the group's rate for the copies of the job; copies over the rate go back to the front of
/// the lane. Precondition: may_go(), so at least one copy leaves.
void Connections::keep_to_rate(const LanePtr& lane, Job& job) {
  std::size_t go = 0;
  while (go < job.indices.size() && risk_used_.take(lane->group->key, limits_.risk_rate, now_)) {
    ++go;
  }
  go = std::max<std::size_t>(go, 1);
  if (go == job.indices.size()) return;
  Job rest;
  rest.id = job.id;
  rest.indices.assign(job.indices.begin() + static_cast<std::ptrdiff_t>(go), job.indices.end());
  job.indices.resize(go);
  lanes_.push_front(lane, std::move(rest));
  if (!lane->is_ready) to_ring(lane);
}

}  // namespace relay::delivery
