#include "relay/delivery/scheduler.hpp"

#include <algorithm>
#include <map>
#include <new>
#include <utility>

#include <boost/asio/post.hpp>

#include "relay/base/spawn.hpp"
#include "relay/delivery/attempt_log.hpp"
#include "relay/delivery/delivery_session.hpp"
#include "relay/delivery/mx_selection.hpp"
#include "relay/ports/delivery_queue.hpp"

namespace relay::delivery {

namespace {

using namespace std::chrono_literals;
using base::SteadyTime;
using std::chrono::milliseconds;

constexpr auto kTick = 250ms;
constexpr auto kQuietTick = 1s;  // with nothing in memory the clock is still watched
constexpr auto kFullLook = 60s;  // a full look finds whatever was missed
constexpr auto kAfterTrouble = 1s;
constexpr std::size_t kFarDueTimes = 500;
constexpr SteadyTime::rep kNever = std::numeric_limits<SteadyTime::rep>::max();

/// Counts a task out at the end of the scope, also where that ends by an exception.
class Leaving {
 public:
  explicit Leaving(std::atomic<int>& running) : running_(running) {}

  Leaving(const Leaving&) = delete;
  Leaving& operator=(const Leaving&) = delete;

  ~Leaving() { --running_; }

 private:
  std::atomic<int>& running_;
};

}  // namespace

Dispatcher::Hooks Scheduler::hooks() {
  return {.next_shard = [this] { return next_shard(); },
          .start_session = [this](PlacePtr place) { start_session(std::move(place)); },
          .start_lookup =
              [this](LanePtr lane, std::chrono::seconds within) {
                start_lookup(std::move(lane), within);
              },
          .start_clerk = [this](LanePtr lane) { start_clerk(std::move(lane)); },
          .refill = [this] { look_bell_.ring(); }};
}

Scheduler::Scheduler(std::vector<base::Executor> shards, SchedulerParts parts)
    : shards_(std::move(shards)),
      shop_{.ports = {parts.clock, parts.resolver, parts.dialer, parts.queue},
            .signer = parts.signer,
            .new_id = std::move(parts.new_id),
            .log = parts.log,
            .policy = parts.policy,
            .watchdog = parts.watchdog,
            .dice = Dice(parts.seed),
            .failing = FailingHosts(shop_.dice),
            .dispatcher = Dispatcher(hooks(), shop_.failing),
            .wall =
                ClockWatch(parts.queue, parts.clock,
                           [this](base::WallTime now, milliseconds by) { clock_jumped(now, by); }),
            .expect_due = [this](milliseconds after) { expect_due(after); },
            .reports_wanted = [this] { reports_.wake(); },
            .on_taken = std::move(parts.on_taken)},
      reader_(parts.queue, parts.clock, shop_.dispatcher),
      reports_(shop_, *this),
      look_at_(kNever) {
  shop_.dispatcher.set_policy(shop_.policy.get());
}

base::Executor Scheduler::next_shard() { return shards_[next_shard_++ % shards_.size()]; }

/// The dispatcher counts on `done`, so it is called even if there is no memory to begin the task.
/// It then runs in a turn of its own, because it may start the next task.
template <class Begin, class Done>
void Scheduler::spawn(const base::Executor& shard, const char* name, Begin begin,
                      const Done& done) {
  try {
    base::spawn(shard, begin(), [name, done](const std::exception_ptr& error) {
      if (error) base::report_crash(name, error);
      done(error);
    });
  } catch (const std::bad_alloc&) {
    const auto lack = std::current_exception();
    base::report_crash(name, lack);
    try {
      boost::asio::post(shard, [done, lack] { done(lack); });
    } catch (const std::bad_alloc&) {
      done(lack);
    }
  }
}

void Scheduler::start() {
  shop_.wall.read();
  // Mail would get stuck without one of these tasks: their crash ends the process.
  running_ += 3;  // not `= 3`: look-ups may have begun before start()
  const auto ended = [this] { --running_; };
  const auto& first = shards_.front();
  constexpr auto kFatal = base::OnCrash::EndProcess;
  base::spawn_supervised(first, "queue reader", look_for_work(), kFatal, ended);
  base::spawn_supervised(first, "delivery clock", keep_time(), kFatal, ended);
  base::spawn_supervised(first, "report clerk", reports_.run(), kFatal, ended);
}

base::Task<bool> Scheduler::stop(std::chrono::seconds grace) {
  stopping_ = true;
  reports_.stop();
  look_bell_.ring();
  tick_bell_.ring();
  shop_.dispatcher.stop();
  lookups_->end();  // one that is silent would take its whole time, and nobody wants its result
  auto& clock = shop_.ports.clock;
  const auto until = clock.steady() + grace;
  const auto is_running = [this] {
    return shop_.dispatcher.totals().sessions > 0 || running_.load() > 0;
  };
  while (is_running() && clock.steady() < until) co_await clock.sleep_until(clock.steady() + 5ms);
  co_return !is_running();
}

void Scheduler::expect(const mail::MessageId& id) { shop_.dispatcher.expect(id); }

void Scheduler::give_up(const mail::MessageId& id) noexcept {
  shop_.dispatcher.expect_no_more(id);
  from_start_ = true;  // it may be in the queue all the same
  expect_due(kTick);
}

void Scheduler::offer(ports::FreshMessage fresh) {
  const auto queued = std::make_shared<const mail::QueuedMessage>(std::move(fresh.queued));
  const mail::MessageId id = queued->message.id;
  std::map<ports::LaneKey, Job> lanes;
  for (const auto& copy : queued->recipients) {
    if (copy.end == mail::End::Refused) reports_.wake();  // refused on acceptance: a DSN may be due
    if (copy.state != mail::RecipientState::Waiting) continue;
    if (shop_.dispatcher.has_pauses() &&
        shop_.dispatcher.is_paused(copy.route.original.to_string())) {
      continue;
    }
    lanes[lane_of(copy.route)].indices.push_back(copy.route.index);
  }
  for (auto& [key, job] : lanes) {
    job.id = id;
    job.queued = queued;
    job.content = fresh.content;
  }
  if (shop_.dispatcher.offer(id, std::move(lanes), shop_.ports.clock.steady())) return;
  // Copies of it were released a moment ago, and passed over because it was expected: look for
  // them.
  from_start_ = true;
  look_bell_.ring();
}

std::size_t Scheduler::withdraw(const std::vector<mail::CopyId>& copies) {
  const std::size_t under_way = shop_.dispatcher.withdraw(copies);
  reports_.wake();  // the last copy of a message with notices may have ended
  return under_way;
}

void Scheduler::wake() {
  shop_.dispatcher.set_policy(shop_.policy.get());
  shop_.dispatcher.forget_outages();
  from_start_ = true;
  look_bell_.ring();
  reports_.wake();
}

void Scheduler::set_pauses(std::vector<ports::PauseRule> rules) {
  shop_.dispatcher.set_pauses(std::move(rules));
  wake();
}

std::optional<ports::Waiting> Scheduler::why_waiting(const mail::CopyId& copy,
                                                     const ports::LaneKey& lane,
                                                     const std::string& alias) const {
  return shop_.dispatcher.why_waiting(copy, lane, alias, shop_.ports.clock.steady());
}

/// Something becomes due after this time: look earlier if that is before the next look.
void Scheduler::expect_due(milliseconds after) {
  const auto at = (shop_.ports.clock.steady() + after + 1ms).time_since_epoch().count();
  if (at < look_at_.load()) look_bell_.ring();
}

void Scheduler::start_session(PlacePtr place) {
  // The session lives as long as the coroutine that owns it.
  constexpr auto live = [](std::unique_ptr<DeliverySession> owned) -> base::Task<> {
    co_await owned->run();
  };
  spawn(
      place->executor, "delivery session",
      [&] { return live(std::make_unique<DeliverySession>(shop_, place)); },
      [this, place](const std::exception_ptr&) { shop_.dispatcher.session_ended(place); });
  if (ticks_slowly_.exchange(false)) tick_bell_.ring();
}

void Scheduler::start_clerk(LanePtr lane) {
  ++running_;
  spawn(
      next_shard(), "delivery clerk", [&] { return answer_jobs(shop_, lane); },
      [this, lane](const std::exception_ptr&) {
        const Leaving leaving(running_);
        shop_.dispatcher.clerk_ended(lane);
      });
}

void Scheduler::start_lookup(LanePtr lane, std::chrono::seconds within) {
  ++running_;
  spawn(
      next_shard(), "host look-up", [&] { return look_up(lane, within); },
      [this, lane](const std::exception_ptr& error) {
        const Leaving leaving(running_);
        if (error) shop_.dispatcher.lookup_lost(lane, shop_.ports.clock.steady());
      });
}

base::Task<> Scheduler::look_up(LanePtr lane, std::chrono::seconds within) {
  RunningLookups::Entry entry(lookups_, co_await boost::asio::this_coro::executor);
  const auto policy = shop_.policy.get();
  auto& clock = shop_.ports.clock;
  MxSelection selection(shop_.ports.resolver, clock);
  auto hosts =
      co_await selection.hosts(destination_of(lane->key, *policy), policy, within, entry.cut());
  shop_.dispatcher.set_policy(shop_.policy.get());
  if (hosts) {
    shop_.dispatcher.found(lane, std::move(*hosts), clock.steady());
  } else {
    shop_.dispatcher.not_found(lane, std::move(hosts.error()), clock.steady());
  }
}

/// After a jump of the wall clock no age is used until every copy has been tried again.
void Scheduler::clock_jumped(base::WallTime now, milliseconds by) {
  far_due_times_ = true;
  from_start_ = true;
  look_bell_.ring();
  reports_.wake();
  shop_.log.write(std::move(
      base::Event("clock_jump", now, base::Severity::Warning).number("by_ms", by.count())));
}

base::Task<> Scheduler::keep_time() {
  auto& clock = shop_.ports.clock;
  while (!stopping_) {
    shop_.wall.read();
    shop_.dispatcher.set_policy(shop_.policy.get());
    if (shop_.ports.queue.poisoned()) shop_.poisoned = true;
    if (shop_.poisoned) shop_.dispatcher.pause(true);
    shop_.dispatcher.tick(clock.steady());
    const Totals totals = shop_.dispatcher.totals();
    const bool is_busy = totals.sessions > 0 || totals.copies > 0;
    ticks_slowly_ = !is_busy;
    co_await clock.sleep_until(clock.steady() + (is_busy ? milliseconds(kTick) : kQuietTick),
                               tick_bell_);
  }
}

/// One look at the queue. False: there is more to read at once.
base::Task<std::expected<bool, ports::SpoolError>> Scheduler::look() {
  auto& queue = shop_.ports.queue;
  const SteadyTime now = shop_.ports.clock.steady();
  shop_.wall.read();
  if (far_due_times_.exchange(false)) {
    const auto longest = longest_wait(shop_.policy.get()->retry);
    const auto mended = co_await queue.undo_far_due_times(longest, kFarDueTimes);
    if (!mended || *mended == kFarDueTimes) far_due_times_ = true;
    if (!mended) co_return std::unexpected(mended.error());
  }
  const bool again = shop_.dispatcher.may_look_again();
  const bool full = from_start_.exchange(false) || again || now >= full_look_at_;
  if (full) full_look_at_ = now + kFullLook;
  const auto lanes = co_await reader_.look_at_lanes(full);
  if (!lanes) co_return lanes;
  const auto fresh = co_await reader_.look_at_new();
  if (!fresh) co_return fresh;
  const auto refilled = co_await reader_.refill();
  if (!refilled) co_return refilled;
  co_return *lanes && *fresh && *refilled && !far_due_times_;
}

base::Task<> Scheduler::look_for_work() {
  auto& clock = shop_.ports.clock;
  while (!stopping_ && !shop_.poisoned) {
    look_at_ = kNever;  // a copy put off meanwhile rings the bell
    // Ask before the look: what becomes due during the look belongs to the next one.
    const auto due = co_await shop_.ports.queue.next_due_in();
    const SteadyTime asked_at = clock.steady();
    const auto looked = co_await look();
    SteadyTime next = clock.steady() + kAfterTrouble;
    if (!looked) {
      if (looked.error() == ports::SpoolError::Poisoned) shop_.poisoned = true;
      from_start_ = true;
    } else if (*looked) {
      next = full_look_at_;
      if (due && *due) next = std::min(next, asked_at + std::max(**due, 0ms) + 1ms);
    } else {
      continue;
    }
    if (stopping_ || shop_.poisoned || (looked && from_start_)) continue;
    look_at_ = next.time_since_epoch().count();
    if (next > clock.steady()) co_await clock.sleep_until(next, look_bell_);
  }
}

}  // namespace relay::delivery
