// The events of a world: messages that come in, and troubles.
#include <algorithm>

#include "tests/simulation/letters.hpp"
#include "tests/simulation/world_run.hpp"

namespace relay::simulation {

using namespace std::chrono_literals;
using Scope = Incident::Scope;
using What = Incident::What;
using Trouble = Judge::Trouble;

namespace {

constexpr auto kFullLook = 61s;  ///< what nobody tells of is found by then
constexpr auto kAfterStoreTrouble = 10s;

}  // namespace

/// True: it is durable, and whoever gave it knows.
base::Task<bool> WorldRun::commit(ports::NewMessage message, std::uint32_t number) {
  co_await store_mood_.dawdle();
  const auto error = store_mood_.write_error();
  if (!error || (*error == ports::SpoolError::Unknown && store_mood_.applies())) {
    co_await queue_.intake().commit(std::move(message));
    const bool told = world_.messages[number].arrival != Arrival::Found && !error;
    judge_.committed(number, told ? world_.messages[number].offered_after : kFullLook);
  } else {
    judge_.rejected(number);
  }
  co_await store_mood_.dawdle();
  co_return !error;
}

/// As the inbound side does it.
base::Task<> WorldRun::arrive(std::uint32_t number) {
  const MessagePlan& plan = world_.messages[number];
  ports::NewMessage message = new_message(world_, number, clock_.wall());
  judge_.arriving(message, number);
  ports::FreshMessage fresh = fresh_message(message, queue_.intake().now());
  std::optional<ports::ExpectedMessage> expected;
  if (plan.arrival != Arrival::Found) expected.emplace(life_->relay.feed(), message.message.id);
  if (plan.commit_takes > 0ms) co_await clock_.sleep_until(clock_.steady() + plan.commit_takes);
  bool committed = false;
  if (plan.arrival == Arrival::Rejected) {
    judge_.rejected(number);
  } else {
    committed = co_await commit(std::move(message), number);
  }
  const bool offers = committed && plan.arrival == Arrival::Offered;
  if (offers && plan.offered_after > 0ms) {
    judge_.book.messages()[number].offered_at = clock_.steady() + plan.offered_after;
    co_await clock_.sleep_until(clock_.steady() + plan.offered_after);
  }
  if (offers) {
    offered_.emplace_back(fresh.content);
    expected->offer(std::move(fresh));
  }
  --arriving_;
}

void WorldRun::happen(const Incident& incident) {
  judge_.verdicts.note(Event::What::Incident, kNoCopy, 0, static_cast<int>(incident.what),
                       name(incident.what));
  if (healed_) return;
  switch (incident.what) {
    case What::HostReach:
    case What::HostCrash:
    case What::HostHeals:
      return happen_to_host(incident);
    case What::DnsFails:
      resolver_.fall_ill(incident.target % world_.domains.size(),
                         incident.target % 3 == 0 ? SimResolver::Illness::Silent
                                                  : SimResolver::Illness::Temporary);
      return;
    case What::DnsHeals:
      resolver_.fall_ill(incident.target % world_.domains.size(), SimResolver::Illness::None);
      return;
    case What::DomainMoves:
      resolver_.move(incident.target);
      return judge_.traffic.moved(incident.target);
    case What::SpoolFails:
      if (!store_mood_.ill()) judge_.trouble_begins(Trouble::StoreIll);
      return store_mood_.fail(incident.error);
    case What::SpoolHeals:
      if (store_mood_.ill()) judge_.trouble_ends(Trouble::StoreIll, kAfterStoreTrouble);
      return store_mood_.heal();
    case What::WallJumps:
      clock_.jump_wall(incident.span);
      if (incident.span < 0ms) give_up_at_ -= incident.span;  // everything expires so much later
      judge_.wall_jumped(incident.span);
      judge_.trouble_begins(Trouble::WallClock);
      return judge_.trouble_ends(Trouble::WallClock, kFullLook);
    case What::LoopStalls:
      return stall(incident);
    case What::AllHeals:
      return heal_all();
    default:
      return happen_to_process(incident);
  }
}

void WorldRun::happen_to_host(const Incident& incident) {
  Host& host = network_.hosts()[incident.target % network_.hosts().size()];
  if (incident.what == What::HostReach) host.reach = incident.reach;
  if (incident.what == What::HostCrash) host.drop_all(ports::IoError::Reset);
  if (incident.what == What::HostHeals) host.mood = healed(host.mood);
}

void WorldRun::happen_to_process(const Incident& incident) {
  if (!life_ || stopping_) return;
  switch (incident.what) {
    case What::Verb:
      return spawn("verb", verb(incident));
    case What::Pause:
      return spawn("pause", pause(incident));
    case What::Resume:
      return spawn("resume", resume(false));
    case What::Reload:
      return life_->relay.reload(incident.target);
    case What::Crash:
      kill_process();
      clock_.in(incident.span, [this] { begin_process(); });
      return;
    case What::Restart:
      stopping_ = true;
      judge_.traffic.stopping(true);
      judge_.trouble_begins(Trouble::ProcessDown);
      return spawn("restart", restart(incident.span));
    default:
      return;
  }
}

void WorldRun::stall(const Incident& incident) {
  if (!life_) return;
  const std::size_t loop = incident.target % life_->loops.count();
  life_->loops.delay(loop, true);
  judge_.trouble_begins(Trouble::LoopStalled);
  clock_.in(incident.span, [this, loop] {
    judge_.trouble_ends(Trouble::LoopStalled, 0s);
    if (life_) life_->loops.delay(loop, false);
  });
}

base::Task<> WorldRun::restart(std::chrono::milliseconds span) {
  const bool stopped = co_await life_->relay.stop();
  judge_.verdicts.note(Event::What::Incident, kNoCopy, 0, stopped ? 1 : 0, "stopped");
  // Not from here, because this coroutine is destroyed with the process.
  clock_.in(0ms, [this, span] {
    kill_process();
    judge_.trouble_ends(Trouble::ProcessDown, 0s);  // of stopping; that of being dead goes on
    clock_.in(span, [this] { begin_process(); });
  });
}

void WorldRun::heal_all() {
  healed_ = true;
  for (Host& host : network_.hosts()) {
    host.mood = healed(host.mood);
    host.healed = true;
    host.reach = Reach::Up;
  }
  for (std::size_t domain = 0; domain < world_.domains.size(); ++domain) {
    resolver_.fall_ill(domain, SimResolver::Illness::None);
  }
  if (store_mood_.ill()) judge_.trouble_ends(Trouble::StoreIll, kAfterStoreTrouble);
  store_mood_.heal();
  if (life_ && !stopping_ && random_.chance(700)) spawn("resume", resume(true));
}

base::Task<> WorldRun::verb(Incident incident) {
  const OperatorsOrder wanted{.action = incident.action, .number = ++verbs_};
  const ops::Order order{
      .verb = ops::Verb::Retry, .words = {}, .reason = reason_for(wanted), .asker = {}};
  const auto done = co_await ops::change_all(
      life_->controls, order, filter_of(world_, judge_.book, incident), incident.action, {});
  judge_.verdicts.note(Event::What::Incident, kNoCopy, 0, done ? 1 : 0, "a verb is answered");
  judge_.verbs.over(wanted.number);
}

base::Task<> WorldRun::pause(Incident incident) {
  auto [kind, value] = pause_target(world_, incident);
  co_await life_->pauses.pause(kind, value, "simulated", incident.span);
}

base::Task<> WorldRun::resume(bool all) {
  const std::vector<ports::PauseRule> rules = life_->pauses.rules();
  for (const auto& rule : rules) {
    if (all || random_.chance(500)) co_await life_->pauses.resume(rule.kind, rule.value);
  }
}

}  // namespace relay::simulation
