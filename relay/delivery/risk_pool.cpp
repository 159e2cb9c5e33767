// The work store's rules for the risk pool: how much room it has, how fast its lanes are.
#include <algorithm>

#include "relay/delivery/lane.hpp"
#include "relay/delivery/work_store.hpp"

namespace relay::delivery {

base::Rate evened_out(const base::Rate& rate) {
  const std::int64_t count = std::max<std::uint32_t>(rate.count, 1);
  const std::int64_t at_once = std::max<std::int64_t>(count / 6, 1);
  const std::int64_t span = (rate.span.count() * at_once + count - 1) / count;
  return {.count = static_cast<std::uint32_t>(at_once),
          .span = std::chrono::seconds(std::max<std::int64_t>(span, 1))};
}

WorkStore::Added WorkStore::has_room(const Lane& lane, const Job& job) const {
  const std::size_t more = job.indices.size();
  const bool full =
      lane.copies + more > limits_.copies_per_lane || claims_.size() + more > limits_.copies_total;
  if (!lane.risk_pool) return full ? Added::Full : Added::Claimed;
  return full || risk_copies_ + more > limits_.risk_copies_total ? Added::Later : Added::Claimed;
}

/// Whether the lane may send now; time gives it leave again, with the next tick.
bool WorkStore::may_go(const Lane& lane) const {
  return !lane.risk_pool || risk_used_.allows(lane.key, limits_.risk_rate, now_);
}

bool WorkStore::has_place(const Lane& lane) const {
  const std::size_t most =
      lane.risk_pool ? limits_.risk_sessions_per_lane : limits_.sessions_per_lane;
  const std::size_t window = lane.outage ? 1 : std::min(lane.window, most);
  if (lane.sessions >= std::min(window, lane.sessions + lane.jobs.size())) return false;
  return !lane.risk_pool || risk_sessions_ < limits_.risk_sessions_total;
}

/// Takes from the lane's rate what the job needs; what it does not give waits on in front. Called
/// when one copy at least may go.
void WorkStore::keep_back(Lane& lane, Job& job, Deferred& after) {
  std::size_t go = 0;
  while (go < job.indices.size() && risk_used_.take(lane.key, limits_.risk_rate, now_)) ++go;
  go = std::max<std::size_t>(go, 1);
  risk_copies_ -= go;
  if (risk_overflowed_ && risk_copies_ < limits_.risk_copies_total / 4) {
    risk_overflowed_ = false;
    after.push_back([this] { refill_(); });
  }
  if (go == job.indices.size()) return;
  Job rest;
  rest.id = job.id;
  rest.risk_pool = true;
  rest.indices.assign(job.indices.begin() + static_cast<std::ptrdiff_t>(go), job.indices.end());
  job.indices.resize(go);
  lane.jobs.push_front(std::move(rest));
}

std::optional<Pace> WorkStore::pace(const std::string& key, const mail::MessageId& id,
                                    std::uint16_t index) const {
  const std::lock_guard lock(mutex_);
  const auto found = lanes_.find(key);
  if (found == lanes_.end() || may_go(*found->second)) return std::nullopt;
  Pace pace{.copies_before = 0, .rate = limits_.risk_rate};
  for (const Job& job : found->second->jobs) {
    const bool here = job.id == id && std::ranges::find(job.indices, index) != job.indices.end();
    if (here) break;
    pace.copies_before += job.indices.size();
  }
  return pace;
}

}  // namespace relay::delivery
