#include "relay/delivery/work_store.hpp"

#include <algorithm>
#include <utility>

#include "relay/delivery/lane.hpp"

namespace relay::delivery {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kFreshOverhead = 2048;  // envelope and routes of a fresh message, about

std::size_t fresh_size(const Job& job) {
  if (!job.queued) return 0;
  return kFreshOverhead + (job.content ? job.content->size() : 0);
}

}  // namespace

void WorkStore::run(Deferred& after) {
  for (auto& step : after) step();
}

void WorkStore::set_limits(const Limits& limits) {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
}

bool WorkStore::claim(Job& job) {
  std::erase_if(job.indices,
                [&](std::uint16_t index) { return !claims_.insert(Copy{job.id, index}).second; });
  return !job.indices.empty();
}

WorkStore::Added WorkStore::add(const std::string& key, Job job) {
  Deferred after;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return Added::Full;
    now_ = std::max(now_, job.offered_at);
    auto& lane = lanes_[key];
    if (!lane) lane = std::make_shared<Lane>(key, job.risk_pool);
    const Added room = has_room(*lane, job);
    if (room != Added::Claimed) {
      (room == Added::Full ? lane->overflowed : risk_overflowed_) = true;
      return room;
    }
    if (!claim(job)) return Added::Known;
    lane->copies += job.indices.size();
    if (lane->risk_pool) risk_copies_ += job.indices.size();
    // What has to wait for its turn is not kept: memory is for those that need not.
    const bool waits = lane->risk_pool && !lane->jobs.empty();
    if (waits || fresh_octets_ + fresh_size(job) > limits_.fresh_octets) {
      job.queued.reset();
      job.content.reset();
    }
    fresh_octets_ += fresh_size(job);
    Job* const last = lane->jobs.empty() ? nullptr : &lane->jobs.back();
    if (last != nullptr && last->id == job.id && !last->queued == !job.queued) {
      last->indices.insert(last->indices.end(), job.indices.begin(), job.indices.end());
      fresh_octets_ -= fresh_size(job);
    } else {
      lane->jobs.push_back(std::move(job));
    }
    dispatch(lane, after);
  }
  run(after);
  return Added::Claimed;
}

/// Gives waiting work to an idle session, or starts one, or puts the lane in the line for a place.
void WorkStore::dispatch(const LanePtr& lane, Deferred& after) {
  if (paused_ || stopped_ || lane->jobs.empty() || !may_go(*lane)) return;
  if (!lane->idle.empty()) {
    // The one that waited least: others may then reach their end and close.
    auto idle = std::move(lane->idle.back());
    lane->idle.pop_back();
    after.push_back([resume = std::move(idle.resume), job = pop(*lane, after)]() mutable {
      resume(std::move(job));
    });
    return;
  }
  if (!has_place(*lane)) return;
  if (sessions_ >= limits_.sessions_total) {
    if (!lane->waiting) waiting_.push_back(lane);
    lane->waiting = true;
    return evict_idle(after);
  }
  ++lane->sessions;
  ++sessions_;
  if (lane->risk_pool) ++risk_sessions_;
  after.push_back([this, lane] { spawn_(lane); });
}

void WorkStore::evict_idle(Deferred& after) {
  for (auto& [key, lane] : lanes_) {
    if (lane->idle.empty()) continue;
    after.push_back(
        [resume = std::move(lane->idle.front().resume)]() mutable { resume(std::nullopt); });
    lane->idle.pop_front();
    return;
  }
}

Job WorkStore::pop(Lane& lane, Deferred& after) {
  Job job = std::move(lane.jobs.front());
  lane.jobs.pop_front();
  if (lane.risk_pool) keep_back(lane, job, after);
  lane.copies -= job.indices.size();
  fresh_octets_ -= fresh_size(job);
  if (lane.overflowed && lane.copies < limits_.copies_per_lane / 4) {
    lane.overflowed = false;
    after.push_back([this] { refill_(); });
  }
  return job;
}

bool WorkStore::must_yield(const Lane& lane) const {
  return paused_ || stopped_ || (!waiting_.empty() && lane.sessions > 1) ||
         (lane.outage && lane.sessions > 1);
}

void WorkStore::ask(const LanePtr& lane, bool connected, base::SteadyTime now, Resume resume) {
  Deferred after;
  {
    const std::lock_guard lock(mutex_);
    now_ = std::max(now_, now);
    if (must_yield(*lane)) {
      after.push_back([resume = std::move(resume)]() mutable { resume(std::nullopt); });
    } else if (!lane->jobs.empty() && may_go(*lane)) {
      after.push_back([resume = std::move(resume), job = pop(*lane, after)]() mutable {
        resume(std::move(job));
      });
    } else if (connected && waiting_.empty()) {
      lane->idle.push_back({now + limits_.keep_open, std::move(resume)});
    } else {
      after.push_back([resume = std::move(resume)]() mutable { resume(std::nullopt); });
    }
  }
  run(after);
}

base::Task<std::optional<Job>> WorkStore::next(LanePtr lane, bool connected, base::SteadyTime now) {
  return base::await_answer<std::optional<Job>>([this, lane, connected, now](auto resume) {
    ask(lane, connected, now, Resume(std::move(resume)));
  });
}

void WorkStore::session_ended(const LanePtr& lane) {
  Deferred after;
  {
    const std::lock_guard lock(mutex_);
    --lane->sessions;
    --sessions_;
    if (lane->risk_pool) --risk_sessions_;
    while (!waiting_.empty() && sessions_ < limits_.sessions_total) {
      const LanePtr first = waiting_.front().lock();
      waiting_.pop_front();
      if (!first) continue;
      first->waiting = false;
      dispatch(first, after);
    }
    dispatch(lane, after);
  }
  run(after);
}

void WorkStore::release(const mail::MessageId& id, const std::vector<std::uint16_t>& indices) {
  const std::lock_guard lock(mutex_);
  for (const std::uint16_t index : indices) claims_.erase(Copy{id, index});
}

void WorkStore::distrust_fresh() {
  const std::lock_guard lock(mutex_);
  ++epoch_;
}

std::uint64_t WorkStore::epoch() const {
  const std::lock_guard lock(mutex_);
  return epoch_;
}

void WorkStore::set_outage(const LanePtr& lane, mail::Outcome outcome, base::SteadyTime now) {
  const std::lock_guard lock(mutex_);
  if (lane->outage && lane->outage->until > now) return;  // another session said so already
  const std::chrono::milliseconds longest = 600s;
  const auto span = std::min(limits_.first_outage * (1U << std::min(lane->failures, 5U)), longest);
  ++lane->failures;
  lane->window = 1;
  lane->outage = Outage{now + span, std::move(outcome)};
}

std::optional<mail::Outcome> WorkStore::outage(const LanePtr& lane, base::SteadyTime now) const {
  const std::lock_guard lock(mutex_);
  if (!lane->outage || lane->outage->until <= now) return std::nullopt;
  return lane->outage->outcome;
}

void WorkStore::clear_outage(const LanePtr& lane) {
  Deferred after;
  {
    const std::lock_guard lock(mutex_);
    lane->outage.reset();
    lane->failures = 0;
    lane->window = std::min(lane->window + 1, limits_.sessions_per_lane);
    dispatch(lane, after);
  }
  run(after);
}

void WorkStore::clear_outages() {
  const std::lock_guard lock(mutex_);
  for (auto& [key, lane] : lanes_) lane->outage.reset();
}

void WorkStore::tick(base::SteadyTime now) {
  Deferred after;
  {
    const std::lock_guard lock(mutex_);
    now_ = std::max(now_, now);
    for (auto at = lanes_.begin(); at != lanes_.end();) {
      Lane& lane = *at->second;
      while (!lane.idle.empty() && lane.idle.front().until <= now) {
        after.push_back(
            [resume = std::move(lane.idle.front().resume)]() mutable { resume(std::nullopt); });
        lane.idle.pop_front();
      }
      if (lane.risk_pool) dispatch(at->second, after);
      const bool quiet = lane.sessions == 0 && lane.jobs.empty();
      // The count of failures outlives the outage by as much again, so that back-off can grow.
      const bool remembered = lane.outage && lane.outage->until + 600s > now;
      at = quiet && !remembered ? lanes_.erase(at) : std::next(at);
    }
  }
  run(after);
}

void WorkStore::pause(bool paused) {
  Deferred after;
  {
    const std::lock_guard lock(mutex_);
    paused_ = paused;
    if (!paused) {
      for (auto& [key, lane] : lanes_) dispatch(lane, after);
    }
  }
  run(after);
}

void WorkStore::stop() {
  Deferred after;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    for (auto& [key, lane] : lanes_) {
      for (auto& idle : lane->idle) {
        after.push_back([resume = std::move(idle.resume)]() mutable { resume(std::nullopt); });
      }
      lane->idle.clear();
    }
  }
  run(after);
}

StoreTotals WorkStore::totals() const {
  const std::lock_guard lock(mutex_);
  return {claims_.size(), sessions_, lanes_.size()};
}

}  // namespace relay::delivery
