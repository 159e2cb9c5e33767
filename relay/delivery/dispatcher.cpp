#include "relay/delivery/dispatcher.hpp"

#include <algorithm>
#include <utility>

namespace relay::delivery {

using base::SteadyTime;

namespace {

constexpr std::chrono::seconds kForget{5};  // between two clean-ups of empty lanes and groups

}  // namespace

Dispatcher::Dispatcher(Hooks hooks, FailingHosts& failing)
    : hooks_(std::move(hooks)),
      lanes_(claims_, [this] { hooks_.refill(); }),
      connections_({.next_shard = hooks_.next_shard, .start_session = hooks_.start_session}, lanes_,
                   failing,
                   [this](const LanePtr& lane, Deferred& after) { steps_.arrange(lane, after); }),
      steps_({.start_lookup = hooks_.start_lookup, .start_clerk = hooks_.start_clerk}, lanes_,
             connections_, pauses_) {}

template <typename Work>
void Dispatcher::change(Work work) {
  Deferred after;
  {
    const std::lock_guard lock(mutex_);
    work(after);
  }
  for (auto& step : after) step();
}

template <typename Work>
void Dispatcher::change(SteadyTime now, Work work) {
  change([&](Deferred& after) {
    connections_.see(now);
    work(after);
  });
}

void Dispatcher::set_policy(std::shared_ptr<const Policy> policy) {
  const std::lock_guard lock(mutex_);
  if (connections_.policy() == policy) return;
  const Limits limits = limits_of(*policy);
  lanes_.set_limits(limits);
  steps_.set_limits(limits);
  connections_.set_policy(std::move(policy), limits);
}

/// Rules about aliases are applied when copies are taken into memory, so if there are such rules,
/// old or new, all waiting copies go back to the disk and are read again.
void Dispatcher::set_pauses(std::vector<ports::PauseRule> rules) {
  change([&](Deferred& after) {
    const bool were_about_aliases = pauses_.are_about_aliases();
    pauses_ = PauseRules(std::move(rules));
    has_pauses_ = pauses_.any();
    const bool goes_back = were_about_aliases || pauses_.are_about_aliases();
    lanes_.for_each([&](const LanePtr& lane) {
      connections_.not_ready(*lane);
      if (goes_back) lanes_.empty(lane, after);
      steps_.arrange(lane, after);
    });
  });
}

bool Dispatcher::is_paused(const std::string& alias) const {
  const std::lock_guard lock(mutex_);
  return pauses_.about_alias(alias) != nullptr;
}

bool Dispatcher::is_paused(const HostList& hosts) const {
  const std::lock_guard lock(mutex_);
  return pauses_.about(hosts) != nullptr;
}

void Dispatcher::expect(const mail::MessageId& id) {
  const std::lock_guard lock(mutex_);
  claims_.expect(id);
}

void Dispatcher::expect_no_more(const mail::MessageId& id) {
  const std::lock_guard lock(mutex_);
  claims_.expect_no_more(id);
}

bool Dispatcher::offer(const mail::MessageId& id, std::map<ports::LaneKey, Job> lanes,
                       SteadyTime now) {
  bool whole = false;
  // In one critical section: a queue reader comes entirely before or after it.
  change(now, [&](Deferred& after) {
    auto meanwhile = claims_.expect_no_more(id);
    for (auto& [key, job] : lanes) {
      meanwhile.offer(job.indices);
      if (!job.indices.empty() && !stopped_) offer_to(key, std::move(job), after);
    }
    whole = !meanwhile.is_left();
  });
  return whole;
}

void Dispatcher::offer_to(const ports::LaneKey& key, Job job, Deferred& after) {
  const LanePtr lane = lanes_.lane_for(key);
  if (!lane) return;
  const std::size_t offered = job.indices.size();
  const std::size_t room = lane->overflowed ? 0 : lanes_.room_in(*lane);  // disk copies go first
  job.indices.resize(std::min(offered, room));
  const mail::MessageId id = job.id;
  std::erase_if(job.indices, [&](std::uint16_t index) { return !claims_.take({id, index}); });
  if (room < offered) lanes_.overflow(lane, after);
  if (job.indices.empty()) return;
  lanes_.push_back(lane, std::move(job));
  steps_.arrange(lane, after);
}

bool Dispatcher::take_in(const ports::DueCopy& due, bool overtakes, SteadyTime now) {
  bool has_lane = true;
  change(now, [&](Deferred& after) { has_lane = take_in_now(due, overtakes, after); });
  return has_lane;
}

bool Dispatcher::take_in_now(const ports::DueCopy& due, bool overtakes, Deferred& after) {
  if (stopped_ || pauses_.about_alias(due.alias) != nullptr) return true;
  const LanePtr lane = lanes_.lane_for(due.lane);
  if (!lane) return false;
  const bool comes_again = lanes_.comes_again(*lane, due.copy);
  const bool has_room = (overtakes || !lane->overflowed) && lanes_.room_in(*lane) > 0;
  if (!comes_again && !has_room) {
    lanes_.overflow(lane, after);
  } else if (claims_.take(due.copy)) {
    Job job;
    job.id = due.copy.message;
    job.indices = {due.copy.index};
    comes_again ? lanes_.push_again(lane, std::move(job)) : lanes_.push_back(lane, std::move(job));
    steps_.arrange(lane, after);
  }
  return true;
}

bool Dispatcher::note_backlog(const ports::LaneKey& key) {
  LanePtr lane;
  change([&](Deferred& after) {
    lane = lanes_.lane_for(key);
    if (lane) lanes_.overflow(lane, after);
  });
  return lane != nullptr;
}

bool Dispatcher::may_look_again() {
  const std::lock_guard lock(mutex_);
  return lanes_.may_look_again();
}

std::vector<Refill> Dispatcher::wants_refill(std::size_t at_most) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return {};
  return lanes_.wants_refill(at_most);
}

void Dispatcher::refilled(const ports::LaneKey& key, std::optional<ports::DueCursor> after_row) {
  change([&](Deferred& after) {
    if (const LanePtr lane = lanes_.find(key)) lanes_.refilled(lane, after_row, after);
  });
}

void Dispatcher::found(const LanePtr& lane, HostList hosts, SteadyTime now) {
  change(now, [&](Deferred& after) { steps_.found(lane, std::move(hosts), after); });
}

void Dispatcher::not_found(const LanePtr& lane, mail::Outcome why, SteadyTime now) {
  change(now, [&](Deferred& after) { steps_.not_found(lane, std::move(why), after); });
}

void Dispatcher::lookup_lost(const LanePtr& lane, SteadyTime now) {
  mail::Outcome why{.kind = mail::OutcomeKind::Deferred};
  why.attempt.stage = mail::Stage::Dns;
  why.attempt.status = {4, 3, 0};
  why.attempt.text = "the host look-up failed on our side";
  change(now, [&](Deferred& after) {
    if (lane->lookup == Lane::Lookup::Running) steps_.not_found(lane, std::move(why), after);
  });
}

std::optional<Assignment> Dispatcher::next_for_clerk(const LanePtr& lane, SteadyTime now) {
  std::optional<Assignment> given;
  change(now, [&](Deferred& after) { given = steps_.next_for_clerk(lane, after); });
  return given;
}

void Dispatcher::clerk_ended(const LanePtr& lane) {
  change([&](Deferred& after) { steps_.clerk_ended(lane, after); });
}

void Dispatcher::put_back(const LanePtr& lane, const mail::MessageId& id,
                          std::vector<std::uint16_t> indices) {
  change([&](Deferred& after) {
    if (stopped_) {
      for (const std::uint16_t index : indices) claims_.release({id, index});
    } else if (!indices.empty()) {
      Job job;
      job.id = id;
      job.indices = std::move(indices);
      lanes_.push_front(lane, std::move(job));
      steps_.arrange(lane, after);
    }
  });
}

void Dispatcher::put_off(const LanePtr& lane, const mail::CopyId& copy, SteadyTime due) {
  const std::lock_guard lock(mutex_);
  Lanes::remember(*lane, {copy, due}, connections_.now());
}

void Dispatcher::release(const LanePtr& lane, const mail::MessageId& id,
                         const std::vector<std::uint16_t>& indices, bool is_recorded) {
  change([&](Deferred& after) {
    for (const std::uint16_t index : indices) lanes_.release(lane, {id, index}, after);
    if (!is_recorded && !indices.empty()) lanes_.overflow(lane, after);
  });
}

std::size_t Dispatcher::withdraw(const std::vector<mail::CopyId>& copies) {
  const std::lock_guard lock(mutex_);
  std::size_t under_way = 0;
  for (const mail::CopyId& copy : copies) under_way += claims_.withdraw(copy) ? 1 : 0;
  withdrawals_.fetch_add(1, std::memory_order_release);
  return under_way;
}

bool Dispatcher::is_withdrawn(const mail::CopyId& copy) const {
  const std::lock_guard lock(mutex_);
  return claims_.is_withdrawn(copy);
}

bool Dispatcher::enter_dot(const mail::MessageId& id, const std::vector<std::uint16_t>& indices) {
  const std::lock_guard lock(mutex_);
  return claims_.enter_dot(id, indices);
}

std::optional<ports::Waiting> Dispatcher::why_waiting(const mail::CopyId& copy,
                                                      const ports::LaneKey& key,
                                                      const std::string& alias,
                                                      SteadyTime now) const {
  const std::lock_guard lock(mutex_);
  return steps_.why_waiting(copy, key, alias, now);
}

void Dispatcher::forget_outages() {
  change([&](Deferred& after) {
    connections_.forget_outages();
    lanes_.for_each([&](const LanePtr& lane) {
      LaneSteps::forget_failures(*lane);
      steps_.arrange(lane, after);
    });
  });
}

void Dispatcher::tick(SteadyTime now) {
  change(now, [&](Deferred& after) {
    connections_.tick(after);
    if (connections_.now() < forget_at_) return;
    forget_at_ = connections_.now() + kForget;
    lanes_.forget_empty(connections_.now(), after);
    connections_.forget_groups();
  });
}

void Dispatcher::pause(bool paused) {
  change([&](Deferred& after) {
    connections_.close(paused || stopped_);
    if (paused) return;
    lanes_.for_each([&](const LanePtr& lane) { steps_.arrange(lane, after); });
  });
}

void Dispatcher::stop() {
  change([&](Deferred& after) {
    stopped_ = true;
    steps_.stop();
    connections_.close(true);
    connections_.end_idle(after);
  });
}

Totals Dispatcher::totals() const {
  const std::lock_guard lock(mutex_);
  return {.copies = claims_.size(),
          .sessions = connections_.sessions(),
          .at_work = connections_.at_work(),
          .idle = connections_.idle(),
          .slow = connections_.slow(),
          .lanes = lanes_.size(),
          .groups = connections_.groups()};
}

base::Task<std::optional<Assignment>> Dispatcher::next(PlacePtr place,
                                                       std::optional<Candidate> kept,
                                                       SteadyTime now) {
  return base::await_answer<std::optional<Assignment>>(
      [this, place = std::move(place), kept = std::move(kept), now](auto resume) mutable {
        change(now, [&](Deferred& after) {
          connections_.ask(place, std::move(kept), std::move(resume), after);
        });
      });
}

void Dispatcher::session_ended(const PlacePtr& place) {
  change([&](Deferred& after) { connections_.ended(place, after); });
}

void Dispatcher::hear(const PlacePtr& place, const Assignment& assignment, const Feedback& feedback,
                      SteadyTime now) {
  change(now, [&](Deferred& after) { connections_.hear(place, assignment, feedback, after); });
}

}  // namespace relay::delivery
