#include "relay/delivery/lanes.hpp"

#include <algorithm>
#include <utility>

#include "relay/delivery/group.hpp"

namespace relay::delivery {

using base::SteadyTime;

namespace {

constexpr std::size_t kFreshOverhead = 2048;  // envelope and routes of a fresh message, roughly
constexpr std::size_t kFreshJobs = 10;        // per lane; later ones are loaded from disk again
constexpr std::size_t kPutOff = 16;           // remembered copies per lane
constexpr std::chrono::minutes kOverdue{1};   // then the copy was held, dropped or ended: forget it

std::size_t fresh_size(const Job& job) {
  if (!job.queued) return 0;
  return kFreshOverhead + (job.content ? job.content->size() : 0);
}

std::string name_of(const ports::LaneKey& key) {
  return key.risk_pool ? "risk " + key.domain : key.domain;  // no domain contains a blank
}

}  // namespace

LanePtr Lanes::find(const ports::LaneKey& key) const {
  const auto found = lanes_.find(name_of(key));
  return found == lanes_.end() ? nullptr : found->second;
}

LanePtr Lanes::lane_for(const ports::LaneKey& key) {
  std::string name = name_of(key);
  if (const auto found = lanes_.find(name); found != lanes_.end()) return found->second;
  if (lanes_.size() >= limits_.lanes) {
    left_out_ = true;
    return nullptr;
  }
  return lanes_.emplace(std::move(name), std::make_shared<Lane>(key)).first->second;
}

std::size_t Lanes::room_in(const Lane& lane) const {
  const MemoryLimits& memory = limits_.memory;
  const std::size_t most = most_of(lane);
  const std::size_t lanes = std::max<std::size_t>(lanes_.size(), 1);
  const std::size_t few = std::clamp<std::size_t>(most / lanes, 1, memory.guaranteed_copies);
  const std::size_t guaranteed = few - std::min(few, lane.copies);
  const bool keeps_few = !lane.hosts || lane.group->has_timeouts;
  if (keeps_few || copies(lane) >= most) return guaranteed;
  const std::size_t own = memory.copies_per_lane - std::min(memory.copies_per_lane, lane.copies);
  return std::max(guaranteed, std::min(own, most - copies(lane)));
}

void Lanes::count(Lane& lane, const Job& job, bool comes) {
  const std::size_t many = job.indices.size();
  lane.copies = comes ? lane.copies + many : lane.copies - many;
  copies(lane) = comes ? copies(lane) + many : copies(lane) - many;
}

void Lanes::push_back(const LanePtr& lane, Job job) {
  count(*lane, job, true);
  // A job that has to wait is loaded again later: memory is for those that leave soon.
  const bool waits =
      lane->jobs.size() >= kFreshJobs || (lane->key.risk_pool && !lane->jobs.empty());
  if (waits || fresh_octets_ + fresh_size(job) > limits_.memory.fresh_octets) {
    job.queued.reset();
    job.content.reset();
  }
  if (join(lane, lane->jobs.size(), job)) return;
  fresh_octets_ += fresh_size(job);
  lane->jobs.push_back(std::move(job));
  if (lane->is_ready) ++lane->group->ready_jobs;
}

/// Adds the copies to the job before position `at`, if it is of the same message.
bool Lanes::join(const LanePtr& lane, std::size_t at, const Job& job) {
  if (at == 0) return false;
  Job& before = lane->jobs[at - 1];
  if (before.id != job.id || !before.queued != !job.queued) return false;
  before.indices.insert(before.indices.end(), job.indices.begin(), job.indices.end());
  return true;
}

void Lanes::push_again(const LanePtr& lane, Job job) {
  count(*lane, job, true);
  if (join(lane, lane->last_again, job)) return;
  fresh_octets_ += fresh_size(job);
  const std::size_t before = std::min(lane->last_again + 1, lane->jobs.size());
  lane->jobs.insert(lane->jobs.begin() + static_cast<std::ptrdiff_t>(before), std::move(job));
  lane->last_again = before + 1;
  if (lane->is_ready) ++lane->group->ready_jobs;
}

void Lanes::remember(Lane& lane, const PutOff& put_off, SteadyTime now) {
  auto& known = lane.put_off;
  std::erase_if(known, [&](const PutOff& one) { return one.due + kOverdue < now; });
  if (known.size() >= kPutOff) {
    const auto latest = std::ranges::max_element(known, {}, &PutOff::due);
    if (latest->due <= put_off.due) return;
    known.erase(latest);
  }
  known.push_back(put_off);
}

bool Lanes::comes_again(Lane& lane, const mail::CopyId& copy) const {
  const bool known =
      std::erase_if(lane.put_off, [&](const PutOff& one) { return one.copy == copy; }) > 0;
  return known && copies(lane) < most_of(lane);
}

void Lanes::push_front(const LanePtr& lane, Job job) {
  count(*lane, job, true);
  fresh_octets_ += fresh_size(job);
  lane->jobs.push_front(std::move(job));
  if (lane->last_again > 0) ++lane->last_again;
  if (lane->is_ready) ++lane->group->ready_jobs;
}

std::optional<Job> Lanes::pop(const LanePtr& lane, Deferred& after) {
  while (!lane->jobs.empty()) {
    Job job = std::move(lane->jobs.front());
    lane->jobs.pop_front();
    if (lane->last_again > 0) --lane->last_again;
    if (lane->is_ready) --lane->group->ready_jobs;
    count(*lane, job, false);
    fresh_octets_ -= fresh_size(job);
    std::erase_if(job.indices, [&](std::uint16_t index) {
      if (!claims_.is_withdrawn({job.id, index})) return false;
      release(lane, {job.id, index}, after);
      return true;
    });
    want_refill(lane, after);
    if (!job.indices.empty()) return job;
  }
  return std::nullopt;
}

/// A withdrawn copy may be due again by a change of its row: look for it on disk.
void Lanes::release(const LanePtr& lane, const mail::CopyId& copy, Deferred& after) {
  if (claims_.release(copy)) overflow(lane, after);
}

void Lanes::empty(const LanePtr& lane, Deferred& after) {
  if (lane->jobs.empty()) return;
  for (const Job& job : lane->jobs) {
    for (const std::uint16_t index : job.indices) claims_.release({job.id, index});
    count(*lane, job, false);
    fresh_octets_ -= fresh_size(job);
  }
  if (lane->is_ready) lane->group->ready_jobs -= lane->jobs.size();
  lane->jobs.clear();
  lane->last_again = 0;
  overflow(lane, after);
}

void Lanes::overflow(const LanePtr& lane, Deferred& after) {
  lane->overflowed = true;
  lane->missed = true;
  want_refill(lane, after);
}

void Lanes::want_refill(const LanePtr& lane, Deferred& after) {
  if (!lane->overflowed || lane->is_refilling || lane->has_clerk) return;
  // Read large pages, and only when there is room for one.
  const std::size_t large = std::min(limits_.memory.copies_per_lane, most_of(*lane)) / 4;
  if (lane->copies > 0 && (lane->copies > large || room_in(*lane) == 0)) return;
  const std::size_t line = lane->copies == 0 ? kEmpty : kOthers;
  if (lane->in_refill_line[kEmpty] || lane->in_refill_line.at(line)) return;
  lane->in_refill_line.at(line) = true;
  refills_.at(line).push_back(lane);
  after.emplace_back([this] { refill_(); });
}

/// The next lane to read the queue for; nullptr: there is none.
LanePtr Lanes::next_refill() {
  for (const std::size_t line : {kEmpty, kOthers}) {
    while (!refills_.at(line).empty()) {
      LanePtr lane = refills_.at(line).front().lock();
      refills_.at(line).pop_front();
      if (!lane) continue;
      lane->in_refill_line.at(line) = false;
      // It may have had its turn in the other line. Without room, it asks again when jobs leave.
      if (lane->overflowed && !lane->is_refilling && room_in(*lane) > 0) return lane;
    }
  }
  return nullptr;
}

std::vector<Refill> Lanes::wants_refill(std::size_t at_most) {
  std::vector<Refill> wanted;
  while (wanted.size() < at_most) {
    const LanePtr lane = next_refill();
    if (!lane) break;
    lane->is_refilling = true;
    if (!lane->cursor) lane->missed = false;
    wanted.push_back({lane->key, lane->cursor, room_in(*lane)});
  }
  return wanted;
}

void Lanes::refilled(const LanePtr& lane, std::optional<ports::DueCursor> after_row,
                     Deferred& after) {
  lane->is_refilling = false;
  lane->cursor = after_row;
  if (!lane->cursor) lane->overflowed = std::exchange(lane->missed, false);
  want_refill(lane, after);
}

void Lanes::forget_empty(SteadyTime now, Deferred& after) {
  // Keep a failed look-up for its longest pause after it expired, so that its back-off can grow.
  constexpr std::chrono::minutes kRemembered{10};
  std::erase_if(lanes_, [&](const auto& entry) {
    const Lane& lane = *entry.second;
    const bool answers = lane.answer && lane.answer->until + kRemembered > now;
    return lane.jobs.empty() && !lane.overflowed && !lane.has_clerk && !answers &&
           lane.lookup == Lane::Lookup::Idle && entry.second.use_count() == 1;
  });
  if (!left_out_ || lanes_.size() >= limits_.lanes / 2) return;
  left_out_ = false;
  has_room_again_ = true;
  after.emplace_back([this] { refill_(); });
}

void Lanes::for_each(const std::function<void(const LanePtr&)>& what) const {
  for (const auto& [name, lane] : lanes_) what(lane);
}

}  // namespace relay::delivery
