// What happens to a world: messages come in, and everything goes wrong.
#include <algorithm>

#include "tests/simulation/world_run.hpp"

namespace relay::simulation {

using namespace std::chrono_literals;
using Scope = Incident::Scope;
using What = Incident::What;
using Trouble = Judge::Trouble;

namespace {

constexpr auto kFullLook = 61s;  ///< what nobody tells of is found by then
constexpr auto kAfterStoreTrouble = 10s;

mail::Mailbox mailbox(const std::string& text) { return *mail::Mailbox::parse(text); }

std::string content_of(const mail::MessageId& id, std::uint32_t octets) {
  std::string content = "Message-ID: <" + id.to_string() +
                        "@sim>\r\nFrom: a@sender.example\r\nSubject: simulated\r\n\r\n";
  content.reserve(content.size() + octets + 80);
  const std::string line = "..what stands in " + id.to_string() + "\r\n";
  while (octets > line.size()) {
    content += line;
    octets -= static_cast<std::uint32_t>(line.size());
  }
  return content + ".\r\n";
}

}  // namespace

ports::NewMessage WorldRun::message_of(std::uint32_t number) const {
  const MessagePlan& plan = world_.messages[number];
  std::array<std::uint8_t, 10> octets{};
  std::uint64_t seed = world_.seed + number;
  for (auto& octet : octets) octet = static_cast<std::uint8_t>(splitmix(seed));
  ports::NewMessage made;
  made.message.id = mail::MessageId::make(clock_.wall(), octets);
  made.message.received_at = clock_.wall();
  if (!plan.null_sender) {
    made.message.reverse_path =
        mail::ReversePath(mailbox(sender_address(world_, number, plan.sender_domain)));
  }
  made.message.sender_authenticated = plan.authenticated;
  made.message.trace_fields = "Received: from somebody\r\n";
  made.message.seal_fields = "ARC-Seal: i=1\r\n";
  made.content = content_of(made.message.id, plan.octets);
  made.message.size = made.content.size();
  for (const CopyPlan& copy : plan.copies) {
    const auto index = static_cast<std::uint16_t>(made.routes.size());
    mail::Route route{.index = index,
                      .original = mail::ForwardPath(mailbox(alias_address(number, copy))),
                      .target = mailbox(recipient_address(world_, number, index, copy)),
                      .reverse_path = mail::ReversePath::null()};
    if (!plan.null_sender) {
      route.reverse_path = mail::ReversePath(mailbox(rewritten_sender(number, copy.sender)));
    }
    route.handling.risk_pool = copy.risk_pool;
    route.handling.seal = copy.sealed;
    route.held = copy.held;
    made.routes.push_back(std::move(route));
  }
  return made;
}

base::Task<> WorldRun::commit(ports::NewMessage message, std::uint32_t number, bool& committed) {
  co_await store_mood_.dawdle();
  const auto error = store_mood_.write_error();
  const bool applies = !error || (*error == ports::SpoolError::Unknown && store_mood_.applies());
  if (applies) {
    const auto proof = co_await queue_.intake().commit(std::move(message));
    const bool told = world_.messages[number].arrival != Arrival::Found && !error;
    judge_.committed(number, told ? 0s : kFullLook);
    committed = proof && !error;
  } else {
    judge_.rejected(number);
  }
  co_await store_mood_.dawdle();
}

/// As the inbound side does it.
base::Task<> WorldRun::arrive(std::uint32_t number) {
  const MessagePlan& plan = world_.messages[number];
  ports::NewMessage message = message_of(number);
  judge_.arriving(message, number);
  ports::FreshMessage fresh{.queued = {.message = message.message, .recipients = {}},
                            .content = std::make_shared<const std::string>(message.content)};
  if (fresh.content->size() > ports::kChunkOctets) fresh.content.reset();
  for (const mail::Route& route : message.routes) {
    mail::QueuedRecipient copy{.route = route};
    copy.state = route.held ? mail::RecipientState::Held : mail::RecipientState::Waiting;
    copy.next_due = message.message.received_at;
    fresh.queued.recipients.push_back(std::move(copy));
  }
  std::optional<ports::ExpectedMessage> expected;
  if (plan.arrival != Arrival::Found) expected.emplace(life_->relay.feed(), message.message.id);
  if (plan.commit_takes > 0ms) co_await clock_.sleep_until(clock_.steady() + plan.commit_takes);
  bool committed = false;
  if (plan.arrival == Arrival::Rejected) {
    judge_.rejected(number);
  } else {
    co_await commit(std::move(message), number, committed);
  }
  if (committed && plan.arrival == Arrival::Offered) expected->offer(std::move(fresh));
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
    case What::SpoolFails:
      if (!store_mood_.ill()) judge_.trouble_begins(Trouble::StoreIll);
      return store_mood_.fail(incident.error);
    case What::SpoolHeals:
      if (store_mood_.ill()) judge_.trouble_ends(Trouble::StoreIll, kAfterStoreTrouble);
      return store_mood_.heal();
    case What::WallJumps:
      clock_.jump_wall(incident.span);
      judge_.wall_jumped();
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
  // Not from here: this coroutine lives in what goes away.
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

ports::QueueFilter WorldRun::filter_of(const Incident& incident) const {
  using Field = ports::QueueCondition::Field;
  const auto one = [](Field field, std::string text) {
    ports::QueueFilter filter;
    filter.conditions.push_back({.field = field, .text = std::move(text)});
    return filter;
  };
  const auto number = static_cast<std::uint32_t>(incident.target % world_.messages.size());
  const DomainPlan& domain = world_.domains[incident.target % world_.domains.size()];
  switch (incident.scope) {
    case Scope::Everything:
      return {};
    case Scope::Message:
      return one(Field::Id, judge_.book.messages()[number].id.to_string());
    case Scope::Domain:
      return one(Field::Target, domain.name);
    case Scope::Sender:
      return one(Field::Sender,
                 incident.target % 5 == 0
                     ? "<>"
                     : sender_address(world_, number, world_.messages[number].sender_domain));
    case Scope::Host:
      return one(Field::Host, world_.hosts[incident.target % world_.hosts.size()].name);
  }
  return {};
}

base::Task<> WorldRun::verb(Incident incident) {
  const ops::Order order{.verb = ops::Verb::Retry, .words = {}, .reason = "simulated", .uid = {}};
  const auto done =
      co_await ops::change_all(life_->controls, order, filter_of(incident), incident.action, {});
  judge_.verdicts.note(Event::What::Incident, kNoCopy, 0, done ? 1 : 0, "a verb is answered");
}

base::Task<> WorldRun::pause(Incident incident) {
  using Kind = ports::PauseRule::Kind;
  Kind kind = Kind::Domain;
  std::string value = hosted_domain(incident.target);
  if (incident.scope == Scope::Host) {
    kind = Kind::Host;
    value = world_.hosts[incident.target % world_.hosts.size()].name;
  } else if (incident.scope == Scope::Message) {
    const auto number = static_cast<std::uint32_t>(incident.target % world_.messages.size());
    kind = Kind::Alias;
    value = alias_address(number, world_.messages[number].copies.front());
  }
  co_await life_->pauses.pause(kind, value, "simulated", incident.span);
}

base::Task<> WorldRun::resume(bool all) {
  const std::vector<ports::PauseRule> rules = life_->pauses.rules();
  for (const auto& rule : rules) {
    if (all || random_.chance(500)) co_await life_->pauses.resume(rule.kind, rule.value);
  }
}

std::string_view name(Incident::What what) {
  switch (what) {
    case What::HostReach:
      return "a host's reach";
    case What::HostCrash:
      return "a host crashes";
    case What::HostHeals:
      return "a host heals";
    case What::DnsFails:
      return "DNS fails";
    case What::DnsHeals:
      return "DNS heals";
    case What::SpoolFails:
      return "the store fails";
    case What::SpoolHeals:
      return "the store heals";
    case What::Verb:
      return "a verb";
    case What::Pause:
      return "a pause";
    case What::Resume:
      return "a resume";
    case What::Reload:
      return "a reload";
    case What::Crash:
      return "the process crashes";
    case What::Restart:
      return "the process restarts";
    case What::WallJumps:
      return "the wall clock jumps";
    case What::LoopStalls:
      return "a loop stalls";
    case What::AllHeals:
      return "everything heals";
  }
  return "";
}

}  // namespace relay::simulation
