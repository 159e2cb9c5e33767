#include "tests/simulation/world_run.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace relay::simulation {

using namespace std::chrono_literals;
using State = CopyTruth::State;
using Trouble = Judge::Trouble;

namespace {

constexpr std::size_t kHandlersAtOnce = 400'000;

/// Copies of one message in one lane.
std::size_t most_together(const World& world) {
  std::ptrdiff_t most = 1;
  for (const MessagePlan& message : world.messages) {
    for (const CopyPlan& one : message.copies) {
      most = std::max(most, std::ranges::count_if(message.copies, [&](const CopyPlan& other) {
                        return other.domain == one.domain && other.risk_pool == one.risk_pool;
                      }));
    }
  }
  return static_cast<std::size_t>(most);
}

/// What breaks a promise there, or the port itself.
template <class Port>
Port& or_else(const std::unique_ptr<Port>& sabotaged, std::type_identity_t<Port>& port) {
  return sabotaged ? *sabotaged : port;
}

}  // namespace

WorldRun::WorldRun(const World& world, bool aloud, std::string sabotage)
    : world_(world),
      sabotage_(std::move(sabotage)),
      random_(world.seed ^ 0x5D0C0FFEEU),
      judge_(world, clock_, aloud),
      network_(clock_, judge_.traffic, random_.fork()),
      resolver_(world, clock_, random_.fork(), &judge_.fairness),
      queue_(clock_),
      store_mood_(world, clock_, random_.fork()),
      watched_(queue_.delivery(), store_mood_, judge_) {}

WorldRun::~WorldRun() { kill_process(); }

void WorldRun::add_hosts() {
  for (std::size_t i = 0; i < world_.hosts.size(); ++i) {
    std::vector<std::string> own;
    for (const DomainPlan& domain : world_.domains) {
      const bool listed =
          std::ranges::find(domain.exchanges, i, &Exchange::host) != domain.exchanges.end() ||
          std::ranges::find(domain.moves_to, i, &Exchange::host) != domain.moves_to.end();
      // Somebody else's tenant, perhaps, although its list says otherwise.
      if (listed && !random_.chance(150)) own.push_back(domain.name);
    }
    Host& host = network_.add_host(world_.hosts[i].name, world_.hosts[i].addresses, std::move(own));
    host.mood = world_.hosts[i].mood;
  }
  network_.set_risk_source(boost::asio::ip::make_address(std::string(kRiskAddress)));
  network_.set_yields(world_.yields);
}

void WorldRun::plan() {
  add_hosts();
  const Settings& settings = world_.settings;
  const std::size_t places = settings.connections_total;
  judge_.fairness.set_places(places, std::max<std::size_t>(places / 4, 1));
  // Waits spread over whole seconds may take up to one second longer.
  judge_.fairness.set_pace(60'000ms / settings.risk_rate + 1s);
  judge_.fairness.set_full_time(settings.attempt_limit + settings.connect_limit +
                                4 * settings.command_limit + settings.dot_limit);
  // A look at the queue asks it some ten things, one after the other.
  if (world_.spool_delays > 0) {
    judge_.fairness.set_slack(10 * world_.spool_delay);
    judge_.notices.set_slack(6 * world_.spool_delay);
  }
  for (std::uint32_t number = 0; number < world_.messages.size(); ++number) {
    ++arriving_;
    clock_.in(world_.messages[number].at, [this, number] {
      if (life_ && !stopping_) {
        spawn("arrival", arrive(number));
      } else {
        --arriving_;  // nobody is there to take it
      }
    });
  }
  for (const Incident& incident : world_.incidents) {
    clock_.in(incident.at, [this, &incident] { happen(incident); });
  }
  const auto longest = *std::ranges::max_element(world_.settings.schedule);
  give_up_at_ =
      clock_.steady() + world_.heals_at + 2 * world_.settings.expire + 6 * longest + 30min;
  judge_.trouble_begins(Trouble::ProcessDown);
  begin_process();
}

WorldRun::Life::Life(WorldRun& run)
    : sabotaged_queue(controls::sabotaged(run.sabotage_, run.watched_)),
      sabotaged_resolver(controls::sabotaged(run.sabotage_, run.resolver_)),
      sabotaged_dialer(controls::sabotaged(run.sabotage_, run.network_)),
      loops(run.world_.shards, run.world_.order, run.random_.fork()),
      relay(run.world_, loops.executors(), run.clock_, or_else(sabotaged_resolver, run.resolver_),
            or_else(sabotaged_dialer, run.network_), or_else(sabotaged_queue, run.watched_),
            run.random_.fork()),
      operators(run.queue_.operators(), run.store_mood_, run.judge_, moving),
      control(relay.control(), run.judge_, moving),
      controls{operators, control, run.clock_, relay.log(), {}, {}, {}, {}},
      pauses(operators, control, run.clock_) {}

void WorldRun::begin_process() {
  life_ = std::make_unique<Life>(*this);
  stopping_ = false;
  judge_.traffic.stopping(false);
  spawn("life", live());
}

/// As at a start of the program: pauses are known before the first delivery.
base::Task<> WorldRun::live() {
  for (;;) {
    const auto restored = co_await life_->pauses.restore();
    if (restored) break;
    co_await clock_.sleep_until(clock_.steady() + 1s);
  }
  life_->relay.start();
  judge_.trouble_ends(Trouble::ProcessDown, 0s);
  co_await life_->pauses.keep();
}

void WorldRun::kill_process() {
  if (!life_) return;
  network_.set_dying(true);
  judge_.process_died();
  judge_.trouble_begins(Trouble::ProcessDown);
  clock_.forget_sleepers();
  life_->loops.halt();
  clock_.forget_sleepers();
  life_.reset();
  network_.set_dying(false);
  // A message whose commit was under way is lost, or is stored and the judge has heard of it.
  arriving_ = 0;
  for (std::uint32_t number = 0; number < world_.messages.size(); ++number) {
    const MessageTruth& message = judge_.book.messages()[number];
    const bool begun = !message.copies.empty();
    if (begun && !message.committed) judge_.rejected(number);
    if (!begun && world_.messages[number].at > clock_.since_start_ms()) ++arriving_;
  }
}

void WorldRun::spawn(std::string name, base::Task<> task) {
  SeededLoops& loops = life_->loops;
  base::spawn_supervised(loops.executor(random_.below(loops.count())), std::move(name),
                         std::move(task));
}

/// False: the world does not come to rest.
bool WorldRun::run_dry() {
  if (!life_) return true;
  const auto run = life_->loops.run_dry(kHandlersAtOnce);
  if (!run) {
    judge_.verdicts.violate(Rule::NeverQuiet, kNoCopy, "handlers for ever, and no time goes by");
    return false;
  }
  handlers_ += *run;
  return true;
}

bool WorldRun::finished() {
  if (!healed_ || arriving_ > 0 || !life_ || stopping_) return false;
  if (clock_.steady() >= give_up_at_) return true;
  if (network_.connections() > 0) return false;
  for (const MessageTruth& message : judge_.book.messages()) {
    if (!message.owed.empty() || message.silence_untold) return false;
    const auto is_untold = [&](std::uint16_t index) {
      return !has_ended(message.copies[index].state);
    };
    if (std::ranges::any_of(message.delays_untold, is_untold)) return false;
    for (const CopyTruth& copy : message.copies) {
      if (copy.state == State::Arriving || copy.dot_open) return false;
      if (copy.state != State::Waiting) continue;
      if (!judge_.pauses.keep_back(message.aliases[copy.name.index], "")) return false;
    }
  }
  return true;
}

void WorldRun::check_memory() {
  if (!life_) return;
  const auto totals = life_->relay.totals();
  const std::size_t places = world_.settings.connections_total;
  const std::size_t most = 2 * (places + std::max<std::size_t>(places / 4, 1));
  if (totals.sessions > most || network_.connections() > most) {
    judge_.verdicts.violate(
        Rule::MemoryBound, kNoCopy,
        "more sessions than there are places: " + std::to_string(totals.sessions));
  }
  check_copies(totals);
}

/// The copies in lanes are limited; sessions and clerks have one message each besides.
void WorldRun::check_copies(const delivery::Totals& totals) {
  const delivery::MemoryLimits& memory = world_.settings.memory;
  const std::size_t in_lanes =
      memory.copies + memory.risk_copies + memory.guaranteed_copies * totals.lanes;
  const auto in_hand = [&] { return most_together(world_) * (totals.sessions + totals.lanes); };
  if (totals.copies > in_lanes && totals.copies > in_lanes + in_hand()) {
    judge_.verdicts.violate(
        Rule::MemoryBound, kNoCopy,
        fmt::format("{} copies are claimed, and lanes may have {}", totals.copies, in_lanes));
  }
  std::erase_if(offered_, [](const auto& content) { return content.expired(); });
  std::size_t octets = 0;
  std::size_t longest = 0;
  for (const auto& content : offered_) {
    const auto kept = content.lock();
    octets += kept->size();
    longest = std::max(longest, kept->size());
  }
  if (octets > memory.fresh_octets + longest * totals.sessions) {
    judge_.verdicts.violate(Rule::MemoryBound, kNoCopy,
                            fmt::format("{} octets of content are kept", octets));
  }
}

/// Runs event after event, with all its consequences.
void WorldRun::go_on() {
  base::SteadyTime looked = clock_.steady();
  // Whoever listens wants to hear how it goes on.
  const auto span_behind = judge_.verdicts.aloud() ? 3min : 0min;
  base::SteadyTime clean_at = looked;
  while (run_dry()) {
    if (judge_.verdicts.clean()) clean_at = clock_.steady();
    const bool enough = !judge_.verdicts.clean() && clock_.steady() >= clean_at + span_behind;
    if (ended_ || enough) return;
    const auto next = clock_.next();
    if (!next) break;
    if (*next > clock_.steady()) judge_.before_advance(*next);
    if (*next - looked >= 1s) {
      looked = *next;
      check_memory();
      if (finished()) {
        stopping_ = true;
        spawn("end", end());
        continue;
      }
    }
    clock_.step();
    // Sometimes several events of one moment happen before the relay can react.
    while (clock_.next() == clock_.steady() && random_.chance(300)) clock_.step();
  }
}

/// Copies that the operator holds or has ended. They stay in their lane until it is served.
std::size_t WorldRun::taken_back() const {
  std::size_t copies = 0;
  for (const MessageTruth& message : judge_.book.messages()) {
    copies +=
        static_cast<std::size_t>(std::ranges::count_if(message.copies, [](const CopyTruth& copy) {
          return copy.state == State::Held || copy.ended_by_operator;
        }));
  }
  return copies;
}

base::Task<> WorldRun::end() {
  const auto totals = co_await queue_.operators().totals();
  judge_.world_ended(*totals);
  judge_.traffic.stopping(true);
  const bool stopped = co_await life_->relay.stop();
  if (!stopped || network_.connections() > 0) {
    judge_.verdicts.violate(Rule::StopHangs, kNoCopy,
                            std::to_string(network_.connections()) + " connections are left");
  }
  if (life_->relay.totals().copies > totals->waiting + taken_back()) {
    judge_.verdicts.violate(Rule::MemoryBound, kNoCopy, "claims are left in the end");
  }
  ended_ = true;
}

RunResult WorldRun::run() {
  const unsigned long crashes_before = base::crashed_tasks();
  plan();
  go_on();
  if (base::crashed_tasks() != crashes_before) {
    judge_.verdicts.violate(Rule::TaskCrashed, kNoCopy, "a task ended by an exception");
  }
  if (judge_.verdicts.clean() && !ended_) {
    judge_.verdicts.violate(Rule::StopHangs, kNoCopy, "nothing happens any more");
  }
  RunResult result;
  result.violations = judge_.verdicts.violations();
  if (!result.violations.empty()) {
    result.trace = judge_.verdicts.trace(result.violations.front().copy);
  }
  result.transactions = judge_.traffic.attempts();
  result.handlers = handlers_;
  result.simulated = clock_.since_start_ms();
  result.fingerprint = judge_.verdicts.fingerprint();
  return result;
}

RunResult run_world(const World& world, bool aloud, std::string sabotage) {
  return WorldRun(world, aloud, std::move(sabotage)).run();
}

}  // namespace relay::simulation
