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
                   [this](const LanePtr& lane, Deferred& after) { arrange(lane, after); }) {}

void Dispatcher::run(Deferred& after) {
  for (auto& step : after) step();
}

void Dispatcher::set_policy(std::shared_ptr<const Policy> policy) {
  const std::lock_guard lock(mutex_);
  if (connections_.policy() == policy) return;
  limits_ = limits_of(*policy);
  lanes_.set_limits(limits_);
  lookups_.set_limits(limits_);
  connections_.set_policy(std::move(policy), limits_);
}

/// Rules about aliases are applied when copies are taken into memory, so if there are such rules,
/// old or new, all waiting copies go back to the disk and are read again.
void Dispatcher::set_pauses(std::vector<ports::PauseRule> rules) {
  Deferred after;
  {
    const std::lock_guard lock(mutex_);
    const bool were_about_aliases = pauses_.are_about_aliases();
    pauses_ = PauseRules(std::move(rules));
    has_pauses_ = pauses_.any();
    const bool goes_back = were_about_aliases || pauses_.are_about_aliases();
    lanes_.for_each([&](const LanePtr& lane) {
      connections_.not_ready(*lane);
      if (goes_back) lanes_.empty(lane, after);
      arrange(lane, after);
    });
  }
  run(after);
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
  Deferred after;
  bool whole = false;
  {
    const std::lock_guard lock(mutex_);
    connections_.see(now);
    // In one critical section: a queue reader comes entirely before or after it.
    const auto withdrawn = claims_.expect_no_more(id);
    whole = withdrawn.empty();
    for (auto& [key, job] : lanes) {
      std::erase_if(job.indices, [&](std::uint16_t index) {
        return std::ranges::find(withdrawn, index) != withdrawn.end();
      });
      if (!job.indices.empty() && !stopped_) offer_to(key, std::move(job), after);
    }
  }
  run(after);
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
  arrange(lane, after);
}

bool Dispatcher::take_in(const ports::DueCopy& due, bool overtakes, SteadyTime now) {
  Deferred after;
  {
    const std::lock_guard lock(mutex_);
    connections_.see(now);
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
      comes_again ? lanes_.push_again(lane, std::move(job))
                  : lanes_.push_back(lane, std::move(job));
      arrange(lane, after);
    }
  }
  run(after);
  return true;
}

bool Dispatcher::note_backlog(const ports::LaneKey& key) {
  Deferred after;
  {
    const std::lock_guard lock(mutex_);
    const LanePtr lane = lanes_.lane_for(key);
    if (!lane) return false;
    lanes_.overflow(lane, after);
  }
  run(after);
  return true;
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
  Deferred after;
  {
    const std::lock_guard lock(mutex_);
    if (const LanePtr lane = lanes_.find(key)) lanes_.refilled(lane, after_row, after);
  }
  run(after);
}

void Dispatcher::put_back(const LanePtr& lane, const mail::MessageId& id,
                          std::vector<std::uint16_t> indices) {
  Deferred after;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) {
      for (const std::uint16_t index : indices) claims_.release({id, index});
    } else if (!indices.empty()) {
      Job job;
      job.id = id;
      job.indices = std::move(indices);
      lanes_.push_front(lane, std::move(job));
      arrange(lane, after);
    }
  }
  run(after);
}

void Dispatcher::put_off(const LanePtr& lane, const mail::CopyId& copy, SteadyTime due) {
  const std::lock_guard lock(mutex_);
  Lanes::remember(*lane, {copy, due}, connections_.now());
}

void Dispatcher::release(const LanePtr& lane, const mail::MessageId& id,
                         const std::vector<std::uint16_t>& indices, bool is_recorded) {
  Deferred after;
  {
    const std::lock_guard lock(mutex_);
    for (const std::uint16_t index : indices) lanes_.release(lane, {id, index}, after);
    if (!is_recorded && !indices.empty()) lanes_.overflow(lane, after);
  }
  run(after);
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

void Dispatcher::forget_outages() {
  Deferred after;
  {
    const std::lock_guard lock(mutex_);
    connections_.forget_outages();
    lanes_.for_each([&](const LanePtr& lane) {
      lane->answer.reset();
      lane->lookup_failures = 0;
      lane->has_silent_dns = false;
      arrange(lane, after);
    });
  }
  run(after);
}

void Dispatcher::tick(SteadyTime now) {
  Deferred after;
  {
    const std::lock_guard lock(mutex_);
    connections_.see(now);
    connections_.tick(after);
    if (connections_.now() >= forget_at_) {
      forget_at_ = connections_.now() + kForget;
      lanes_.forget_empty(connections_.now(), after);
      connections_.forget_groups();
    }
  }
  run(after);
}

void Dispatcher::pause(bool paused) {
  Deferred after;
  {
    const std::lock_guard lock(mutex_);
    paused_ = paused;
    connections_.close(paused_ || stopped_);
    if (!paused) {
      lanes_.for_each([&](const LanePtr& lane) { arrange(lane, after); });
    }
  }
  run(after);
}

void Dispatcher::stop() {
  Deferred after;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    connections_.close(true);
    connections_.end_idle(after);
  }
  run(after);
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
        Deferred after;
        {
          const std::lock_guard lock(mutex_);
          connections_.see(now);
          connections_.ask(place, std::move(kept), std::move(resume), after);
        }
        run(after);
      });
}

void Dispatcher::session_ended(const PlacePtr& place) {
  Deferred after;
  {
    const std::lock_guard lock(mutex_);
    connections_.ended(place, after);
  }
  run(after);
}

void Dispatcher::hear(const PlacePtr& place, const Assignment& assignment, const Feedback& feedback,
                      SteadyTime now) {
  Deferred after;
  {
    const std::lock_guard lock(mutex_);
    connections_.see(now);
    connections_.hear(place, assignment, feedback, after);
  }
  run(after);
}

}  // namespace relay::delivery
