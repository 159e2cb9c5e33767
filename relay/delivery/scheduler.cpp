#include "relay/delivery/scheduler.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace relay::delivery {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr auto kTick = 250ms;
constexpr auto kLongTick = 10s;  ///< with nothing in memory
constexpr auto kFullLook = 60s;  ///< whatever was missed is found by then
constexpr auto kClockJump = 60s;
constexpr base::WallTime::rep kNever = std::numeric_limits<base::WallTime::rep>::max();

}  // namespace

Scheduler::Scheduler(std::vector<base::Executor> shards, SchedulerParts parts)
    : shards_(std::move(shards)),
      shop_{.ports = {parts.clock, parts.resolver, parts.dialer, parts.spool},
            .signer = parts.signer,
            .log = parts.log,
            .policy = parts.policy,
            .watchdog = parts.watchdog,
            .dice = Dice(parts.seed),
            .store = WorkStore([this](WorkStore::LanePtr lane) { spawn(std::move(lane)); },
                               [this] { refill_ = true; }),
            .expect_due = [this](base::WallTime at) { expect_due(at); }},
      scan_(parts.spool, shop_.store, parts.policy) {
  apply_limits();
}

void Scheduler::start() {
  shop_.trusted_since = shop_.ports.clock.wall().time_since_epoch().count();
  watch_clock();
  poll_ended_ = false;
  // A dead poll would leave mail lying: better no process than that one.
  base::spawn_supervised(shards_.front(), "delivery poll", poll(), base::OnCrash::EndProcess,
                         [this] { poll_ended_ = true; });
}

base::Task<bool> Scheduler::stop(std::chrono::seconds grace) {
  stopping_ = true;
  shop_.store.stop();
  auto& clock = shop_.ports.clock;
  const auto until = clock.steady() + grace;
  const auto running = [this] { return shop_.store.totals().sessions > 0 || !poll_ended_; };
  while (running() && clock.steady() < until) co_await clock.sleep_until(clock.steady() + 20ms);
  co_return !running();
}

void Scheduler::apply_limits() {
  const auto policy = shop_.policy.get();
  Limits limits;
  limits.sessions_per_lane = policy->connections_per_destination;
  limits.sessions_total = policy->connections_total;
  limits.keep_open = policy->keep_open;
  limits.risk_sessions_per_lane = policy->risk.connections;
  limits.risk_sessions_total = std::max<std::size_t>(policy->connections_total / 4, 1);
  limits.risk_rate = evened_out(policy->risk.rate);
  // A copy that is due again must find its destination worth another try.
  const std::chrono::milliseconds shortest_wait = policy->retry.schedule.front();
  limits.first_outage = std::min(limits.first_outage, shortest_wait / 2);
  shop_.store.set_limits(limits);
}

void Scheduler::offer(ports::FreshMessage fresh) {
  const auto policy = shop_.policy.get();
  const auto queued = std::make_shared<const mail::QueuedMessage>(std::move(fresh.queued));
  std::map<std::string, Job> lanes;
  for (const auto& copy : queued->recipients) {
    if (copy.state != mail::RecipientState::Waiting) continue;
    Job& job = lanes[destination_of(copy.route, *policy).key];
    job.indices.push_back(copy.route.index);
    job.risk_pool = copy.route.handling.risk_pool;
  }
  for (auto& [key, job] : lanes) {
    job.id = queued->message.id;
    job.queued = queued;
    job.content = fresh.content;
    job.offered_at = shop_.ports.clock.steady();
    job.epoch = shop_.store.epoch();
    // Its due time lies behind where the last look ended: only a look from the start finds it.
    if (shop_.store.add(key, std::move(job)) == WorkStore::Added::Full) from_start_ = true;
  }
}

std::optional<Pace> Scheduler::pace(const mail::MessageId& id, const mail::Route& route) const {
  return shop_.store.pace(destination_of(route, *shop_.policy.get()).key, id, route.index);
}

Tally Scheduler::tally() const {
  return {.delivered = shop_.delivered, .bounced = shop_.bounced, .suppressed = shop_.suppressed};
}

void Scheduler::wake() {
  shop_.store.distrust_fresh();
  shop_.store.clear_outages();
  from_start_ = true;
}

void Scheduler::expect_due(base::WallTime at) {
  const auto due = at.time_since_epoch().count();
  auto known = expected_due_.load();
  while (due < known && !expected_due_.compare_exchange_weak(known, due)) {
  }
  // A DSN of ours is due at once, behind the place where the last look ended.
  if (at <= shop_.ports.clock.wall()) from_start_ = true;
}

void Scheduler::spawn(WorkStore::LanePtr lane) {
  const auto shard = shards_[next_shard_++ % shards_.size()];
  auto session = std::make_unique<LaneSession>(shop_, lane);
  // The session lives as long as its coroutine, which owns it.
  constexpr auto live = [](std::unique_ptr<LaneSession> owned) -> base::Task<> {
    co_await owned->run();
  };
  base::spawn_supervised(shard, "lane session", live(std::move(session)), base::OnCrash::EndTask,
                         [this, lane] { shop_.store.session_ended(lane); });
}

/// A jump of the wall clock makes ages meaningless until every copy has been tried again (K-6).
void Scheduler::watch_clock() {
  auto& clock = shop_.ports.clock;
  const base::WallTime wall = clock.wall();
  const auto offset = std::chrono::duration_cast<milliseconds>(wall.time_since_epoch() -
                                                               clock.steady().time_since_epoch());
  const bool first = clock_offset_ == milliseconds{0};
  const auto jump = offset - std::exchange(clock_offset_, offset);
  if (first || (jump < kClockJump && jump > -kClockJump)) return;
  shop_.trusted_since = wall.time_since_epoch().count();
  shop_.jumped_at = shop_.trusted_since.load();
  from_start_ = true;
  shop_.log.write(std::move(
      base::Event("clock_jump", wall, base::Severity::Warning).number("by_ms", jump.count())));
}

base::SteadyTime Scheduler::next_tick() const {
  const auto now = shop_.ports.clock.steady();
  const bool busy = shop_.store.totals().copies > 0 || shop_.store.totals().sessions > 0 ||
                    scan_.backlog() || from_start_;
  if (busy) return now + kTick;
  const auto& schedule = shop_.policy.get()->retry.schedule;
  const milliseconds shortest = *std::ranges::min_element(schedule);
  milliseconds wait = std::clamp<milliseconds>(shortest / 4, kTick, kLongTick);
  const auto due = expected_due_.load();
  const auto wall = shop_.ports.clock.wall().time_since_epoch().count();
  if (due != kNever) wait = std::min(wait, milliseconds(std::max<std::int64_t>(due - wall, 1)));
  return now + wait;
}

base::Task<> Scheduler::look() {
  auto& clock = shop_.ports.clock;
  const base::WallTime wall = clock.wall();
  const bool refill = refill_.exchange(false);
  const bool full = from_start_.exchange(false) || clock.steady() >= full_look_at_ ||
                    (refill && scan_.left_behind());
  if (full) full_look_at_ = clock.steady() + kFullLook;
  const bool due = expected_due_.load() <= wall.time_since_epoch().count();
  if (!full && !due && !refill && !scan_.backlog()) co_return;
  expected_due_ = kNever;
  const auto looked = co_await scan_.look(wall, full);
  if (!looked) {
    if (looked.error() == ports::SpoolError::Poisoned) shop_.poisoned = true;
    from_start_ = true;
    co_return;
  }
  const auto next = co_await shop_.ports.spool.next_due(wall);
  if (next && *next) {
    const auto at = (*next)->time_since_epoch().count();
    auto known = expected_due_.load();
    while (at < known && !expected_due_.compare_exchange_weak(known, at)) {
    }
  }
}

base::Task<> Scheduler::poll() {
  auto& clock = shop_.ports.clock;
  while (!stopping_) {
    watch_clock();
    apply_limits();
    if (shop_.ports.spool.poisoned()) shop_.poisoned = true;
    if (shop_.poisoned) shop_.store.pause(true);
    shop_.store.tick(clock.steady());
    if (!shop_.poisoned) co_await look();
    co_await clock.sleep_until(next_tick());
  }
}

}  // namespace relay::delivery
