#include "relay/delivery/lane_steps.hpp"

#include <algorithm>
#include <utility>

namespace relay::delivery {

namespace {

constexpr std::chrono::seconds kFinalAnswer{5};
constexpr std::chrono::milliseconds kLongestRest{600'000};

/// How long a lane is not looked up again after so many failures in a row.
std::chrono::milliseconds rest_after(unsigned failures, std::chrono::milliseconds first_outage) {
  const unsigned times = 1U << std::min(failures - 1, 5U);
  return std::min(first_outage * times, kLongestRest);
}

}  // namespace

void LaneSteps::set_limits(const Limits& limits) {
  limits_ = limits;
  lookups_.set_limits(limits);
}

void LaneSteps::arrange(const LanePtr& lane, Deferred& after) {
  if (lane->jobs.empty() || connections_.is_closed()) return;
  if (lane->answer && connections_.now() < lane->answer->until) return start_clerk(lane, after);
  lane->answer.reset();
  if (!lane->hosts || !connections_.is_current(*lane->hosts)) return want_lookup(lane, after);
  if (lane->group->outage_of(lane->hosts->key, connections_.now()) != nullptr)
    return start_clerk(lane, after);
  if (pauses_.about(*lane->hosts) == nullptr) connections_.make_ready(lane, after);
}

void LaneSteps::want_lookup(const LanePtr& lane, Deferred& after) {
  if (lane->lookup != Lane::Lookup::Idle) return;
  connections_.not_ready(*lane);
  lookups_.want(lane);
  next_lookups(after);
}

/// The ordinary and the doubtful mail of a domain are two lanes of one domain.
void LaneSteps::tell_twin(const Lane& answered) {
  const ports::LaneKey key{.domain = answered.key.domain, .risk_pool = !answered.key.risk_pool};
  if (const LanePtr twin = lanes_.find(key)) lookups_.is_known_now(twin);
}

void LaneSteps::next_lookups(Deferred& after) {
  if (stopped_) return;
  while (LanePtr lane = lookups_.next(connections_.now())) {
    const auto within = lookups_.time_for(*lane);
    after.push_back([this, within, lane = std::move(lane)] { hooks_.start_lookup(lane, within); });
  }
}

void LaneSteps::found(const LanePtr& lane, HostList hosts, Deferred& after) {
  connections_.not_ready(*lane);
  bool is_used = true;
  if (hosts.passes_over) {
    is_used = lookups_.found_in_part(*lane);
  } else {
    lookups_.found(*lane);
    tell_twin(*lane);
  }
  if (is_used) {
    lane->group = connections_.group_for(hosts, lane->key.risk_pool);
    lane->hosts = std::make_shared<const HostList>(std::move(hosts));
  }
  next_lookups(after);
  arrange(lane, after);
  lanes_.want_refill(lane, after);  // it may hold more than before
}

void LaneSteps::not_found(const LanePtr& lane, mail::Outcome why, Deferred& after) {
  connections_.not_ready(*lane);
  lane->hosts.reset();
  if (why.kind == mail::OutcomeKind::Failed) {
    lookups_.failed_for_good(*lane);
    tell_twin(*lane);
    lane->answer = Answer{.outcome = std::move(why), .until = connections_.now() + kFinalAnswer};
  } else if (lookups_.failed_for_now(*lane, connections_.now())) {
    const auto rest = rest_after(lane->lookup_failures, limits_.first_outage);
    lane->answer = Answer{.outcome = std::move(why), .until = connections_.now() + rest};
  }
  next_lookups(after);
  arrange(lane, after);
}

void LaneSteps::forget_failures(Lane& lane) {
  lane.answer.reset();
  lane.lookup_failures = 0;
  lane.has_silent_dns = false;
}

void LaneSteps::start_clerk(const LanePtr& lane, Deferred& after) {
  connections_.not_ready(*lane);
  if (lane->has_clerk) return;
  lane->has_clerk = true;
  clerks_wanted_.push_back(lane);
  next_clerks(after);
}

void LaneSteps::next_clerks(Deferred& after) {
  while (clerks_ < limits_.clerks && !clerks_wanted_.empty()) {
    LanePtr lane = clerks_wanted_.front().lock();
    clerks_wanted_.pop_front();
    if (!lane) continue;
    ++clerks_;
    after.push_back([this, lane = std::move(lane)] { hooks_.start_clerk(lane); });
  }
}

std::optional<Assignment> LaneSteps::next_for_clerk(const LanePtr& lane, Deferred& after) {
  const Answer* answer = nullptr;
  if (lane->answer && connections_.now() < lane->answer->until) answer = &*lane->answer;
  if (answer == nullptr && lane->hosts)
    answer = lane->group->outage_of(lane->hosts->key, connections_.now());
  if (answer == nullptr || connections_.is_closed()) return std::nullopt;
  auto job = lanes_.pop(lane, after);
  if (!job) return std::nullopt;
  return Assignment{
      .lane = lane, .job = std::move(*job), .hosts = lane->hosts, .answer = answer->outcome};
}

void LaneSteps::clerk_ended(const LanePtr& lane, Deferred& after) {
  --clerks_;
  lane->has_clerk = false;
  next_clerks(after);
  arrange(lane, after);
  lanes_.want_refill(lane, after);
}

std::optional<ports::Waiting> LaneSteps::why_waiting(const mail::CopyId& copy,
                                                     const ports::LaneKey& key,
                                                     const std::string& alias,
                                                     base::SteadyTime now) const {
  using ports::Waiting;
  if (const auto* rule = pauses_.about_alias(alias)) {
    return Waiting{.what = Waiting::For::Pause, .text = rule->reason};
  }
  const LanePtr found = lanes_.find(key);
  if (!found || !found->group || !found->hosts) return std::nullopt;
  const Lane& lane = *found;
  if (const auto* rule = pauses_.about(*lane.hosts)) {
    return Waiting{.what = Waiting::For::Pause, .text = rule->reason};
  }
  if (const Answer* outage = lane.group->outage_of(lane.hosts->key, now)) {
    return Waiting{.what = Waiting::For::Outage, .text = outage->outcome.attempt.text};
  }
  Waiting waiting;
  bool is_here = false;
  for (const Job& job : lane.jobs) {
    is_here =
        job.id == copy.message && std::ranges::find(job.indices, copy.index) != job.indices.end();
    if (is_here) break;
    waiting.copies_before += job.indices.size();
  }
  if (!is_here) return std::nullopt;
  if (connections_.waits_for_rate(*lane.group)) {
    waiting.what = Waiting::For::Rate;
    waiting.copies = limits_.risk_rate.count;
    waiting.span = limits_.risk_rate.span;
  }
  return waiting;
}

}  // namespace relay::delivery
