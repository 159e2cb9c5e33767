#include "tests/simulation/generator.hpp"

#include <algorithm>
#include <functional>

#include "tests/simulation/dns_troubles.hpp"
#include "tests/simulation/moods.hpp"

namespace relay::simulation {

namespace {

using namespace std::chrono_literals;
using What = Incident::What;
using Scope = Incident::Scope;

/// Equal ones stay in their order. For short lists.
template <class T, class Key>
void sort_by(std::vector<T>& list, Key key) {
  for (auto next = list.begin(); next != list.end(); ++next) {
    const auto place =
        std::ranges::upper_bound(list.begin(), next, std::invoke(key, *next), {}, key);
    std::rotate(place, next, std::next(next));
  }
}

class Generator {
 public:
  Generator(std::uint64_t seed, bool large) : random_(seed) {
    world_.seed = seed;
    world_.large = large;
  }

  World make() {
    draw_machine();
    draw_settings();
    draw_hosts();
    draw_domains();
    draw_messages();
    world_.heals_at = milliseconds(random_.span(3min, 40min));
    draw_incidents();
    draw_read_errors();
    draw_late_offers();
    draw_memory();
    draw_stubborn_backup();
    draw_dns_troubles(world_, random_);
    sort_by(world_.messages, &MessagePlan::at);
    sort_by(world_.incidents, &Incident::at);
    return std::move(world_);
  }

 private:
  milliseconds moment() { return milliseconds(random_.between(0, world_.heals_at.count() - 1)); }

  void draw_machine() {
    constexpr SeededLoops::Order kOrders[] = {SeededLoops::Order::Any, SeededLoops::Order::Sticky,
                                              SeededLoops::Order::Ranked};
    world_.shards = static_cast<std::uint32_t>(random_.between(1, 3));
    world_.order = random_.pick(kOrders);
    if (random_.chance(500)) world_.yields = static_cast<unsigned>(random_.between(1, 400));
    if (random_.chance(600)) {
      world_.spool_delays = static_cast<unsigned>(random_.between(1, 500));
      world_.spool_delay = random_.span(1ms, 1s);
    }
  }

  void draw_settings();
  void draw_hosts();
  void add_us(DomainPlan& domain);
  void draw_domains();
  DomainPlan draw_domain(std::size_t number);
  CopyPlan draw_copy(const MessagePlan& message);
  void draw_messages();
  void draw_incidents();
  void draw_read_errors();
  void draw_late_offers();
  void draw_memory();
  void draw_stubborn_backup();
  Incident draw_incident();

  Random random_;
  World world_;
};

void Generator::draw_settings() {
  Settings& settings = world_.settings;
  const std::vector<std::chrono::seconds> schedules[] = {
      {20s, 60s, 180s}, {60s, 300s, 900s}, {5s, 10s, 30s, 60s}, {30s}, {120s, 600s}};
  settings.schedule = random_.pick(schedules);
  settings.expire = std::chrono::duration_cast<std::chrono::seconds>(random_.span(10min, 3h));
  if (random_.chance(400)) settings.warn_after = settings.expire / 5;
  if (random_.chance(600)) {
    const auto short_one = [&] { return std::chrono::seconds(random_.between(20, 90)); };
    settings.dns_limit = settings.connect_limit = short_one() / 3;
    settings.command_limit = short_one();
    settings.dot_limit = 2 * short_one();
    settings.attempt_limit = 4 * short_one();
  }
  constexpr std::size_t kTotals[] = {2, 3, 4, 8, 20, 200};
  constexpr std::size_t kFew[] = {1, 2, 3, 5, 100};
  settings.connections_total = random_.pick(kTotals);
  settings.connections_per_destination = random_.pick(kFew);
  settings.messages_per_connection = random_.pick(kFew);
  settings.recipients_per_transaction = random_.pick(kFew);
  settings.keep_open = std::chrono::seconds(random_.between(1, 20));
  settings.risk_connections = static_cast<std::uint32_t>(random_.between(1, 3));
  settings.risk_rate = static_cast<std::uint32_t>(random_.between(6, 120));
  settings.bounce_to_anyone = random_.chance(300);
}

void Generator::draw_hosts() {
  const auto count = world_.large ? random_.between(4, 40) : random_.between(1, 8);
  const bool provider = random_.chance(150);
  for (std::int64_t i = 0; i < count; ++i) {
    HostPlan host;
    host.name = "mx" + std::to_string(i) +
                std::string(provider && i % 2 == 0 ? kProvider : ".hosts.example");
    host.addresses.push_back(
        boost::asio::ip::make_address_v4(0xC0000200U + static_cast<std::uint32_t>(i) + 1));
    if (random_.chance(120)) {
      host.addresses.push_back(
          boost::asio::ip::make_address_v4(0xC0000200U + static_cast<std::uint32_t>(i) + 101));
    }
    host.mood = draw_mood(random_);
    world_.hosts.push_back(std::move(host));
  }
}

/// The relay itself in the list, under its name or its address.
void Generator::add_us(DomainPlan& domain) {
  HostPlan us;
  us.us = random_.chance(500) ? Us::ByName : Us::ByAddress;
  us.name = us.us == Us::ByName ? std::string(kOurName) : "also-us.hosts.example";
  us.addresses.push_back(boost::asio::ip::make_address(std::string(kOurAddress)));
  const auto known = std::ranges::find(world_.hosts, us.name, &HostPlan::name);
  const auto at = static_cast<std::size_t>(known - world_.hosts.begin());
  if (known == world_.hosts.end()) world_.hosts.push_back(std::move(us));
  const auto last = domain.exchanges.empty() ? 10 : domain.exchanges.back().preference;
  domain.exchanges.push_back({static_cast<std::uint16_t>(random_.between(5, last + 10)), at});
}

DomainPlan Generator::draw_domain(std::size_t number) {
  DomainPlan domain;
  domain.name = "d" + std::to_string(number) + ".example";
  if (number > 0 && random_.chance(40)) {
    domain.dns = random_.chance(500) ? DomainPlan::Dns::NullMx : DomainPlan::Dns::NoSuchName;
  }
  const auto hosts = static_cast<std::int64_t>(world_.hosts.size());
  const auto count = std::min(random_.between(1, 6), hosts);
  std::uint16_t preference = 10;
  while (std::ssize(domain.exchanges) < count) {
    const std::size_t host = random_.below(world_.hosts.size());
    const bool listed =
        std::ranges::find(domain.exchanges, host, &Exchange::host) != domain.exchanges.end();
    if (listed || world_.hosts[host].us != Us::No) {
      if (!listed) break;
      continue;
    }
    domain.exchanges.push_back({preference, host});
    if (random_.chance(700)) preference = static_cast<std::uint16_t>(preference + 10);
  }
  domain.by_route = domain.dns == DomainPlan::Dns::Fine && random_.chance(150);
  if (domain.by_route) {
    constexpr mail::TlsLevel kDemands[] = {mail::TlsLevel::May, mail::TlsLevel::Never,
                                           mail::TlsLevel::Encrypt, mail::TlsLevel::Verify};
    domain.demand = random_.pick(kDemands);
    for (std::size_t i = 0; i < domain.exchanges.size(); ++i) {
      domain.exchanges[i].preference = static_cast<std::uint16_t>(i);
    }
  } else if (domain.exchanges.empty() || (number > 0 && random_.chance(120))) {
    add_us(domain);
  }
  sort_by(domain.exchanges, &Exchange::preference);
  return domain;
}

void Generator::draw_domains() {
  const auto count = world_.large ? random_.between(3, 24) : random_.between(1, 4);
  for (std::int64_t i = 0; i < count; ++i) {
    world_.domains.push_back(draw_domain(static_cast<std::size_t>(i)));
  }
}

CopyPlan Generator::draw_copy(const MessagePlan& message) {
  CopyPlan copy;
  copy.domain = random_.below(world_.domains.size());
  if (random_.chance(250)) copy.kind = random_.pick(kMailboxKinds);
  copy.alias = static_cast<unsigned>(random_.below(message.copies.size() + 1));
  copy.sender = random_.chance(150) ? 1 : 0;
  copy.risk_pool = random_.chance(80);
  copy.sealed = random_.chance(150);
  copy.held = random_.chance(30);
  return copy;
}

void Generator::draw_messages() {
  auto left = world_.large ? random_.between(100, 500) : random_.between(1, 12);
  const auto spread = random_.span(1ms, 10min);
  const auto most = random_.chance(200) ? 40 : 5;
  constexpr Arrival kArrivals[] = {Arrival::Found, Arrival::GivenUp, Arrival::Rejected};
  while (left > 0) {
    MessagePlan message;
    message.at = milliseconds(random_.between(0, spread.count()));
    if (random_.chance(200)) message.arrival = random_.pick(kArrivals);
    message.commit_takes = random_.chance(500) ? random_.span(1ms, 2s) : 0ms;
    message.null_sender = random_.chance(100);
    message.authenticated = random_.chance(800);
    message.sender_domain = random_.below(world_.domains.size());
    if (random_.chance(5)) message.octets = 300'000;
    const auto copies = std::min(left, random_.between(1, most));
    for (std::int64_t i = 0; i < copies; ++i) message.copies.push_back(draw_copy(message));
    left -= copies;
    world_.messages.push_back(std::move(message));
  }
  sort_by(world_.messages, &MessagePlan::at);
}

Incident Generator::draw_incident() {
  constexpr What kKinds[] = {What::HostReach, What::HostReach, What::HostCrash,  What::HostHeals,
                             What::DnsFails,  What::DnsHeals,  What::SpoolFails, What::SpoolHeals,
                             What::Verb,      What::Verb,      What::Verb,       What::Verb,
                             What::Pause,     What::Resume,    What::Reload,     What::Crash,
                             What::Restart,   What::WallJumps, What::LoopStalls, What::LoopStalls};
  constexpr Reach kReaches[] = {Reach::Up, Reach::Refuses, Reach::Silent, Reach::Unreachable};
  constexpr ports::SpoolError kErrors[] = {ports::SpoolError::Full, ports::SpoolError::Unavailable,
                                           ports::SpoolError::Unknown};
  constexpr ports::QueueAction kActions[] = {ports::QueueAction::Retry, ports::QueueAction::Hold,
                                             ports::QueueAction::Release, ports::QueueAction::Drop,
                                             ports::QueueAction::Bounce};
  constexpr Scope kScopes[] = {Scope::Everything, Scope::Message, Scope::Domain, Scope::Sender,
                               Scope::Host};
  Incident incident;
  incident.at = moment();
  incident.what = random_.pick(kKinds);
  incident.reach = random_.pick(kReaches);
  incident.error = random_.pick(kErrors);
  incident.action = random_.pick(kActions);
  incident.scope = random_.pick(kScopes);
  incident.target = random_.below(1'000'000);
  switch (incident.what) {
    case What::WallJumps:
      incident.span = random_.span(1s, 100h) * (random_.chance(500) ? 1 : -1);
      break;
    case What::LoopStalls:
      incident.span = random_.span(10ms, 5s);
      break;
    default:
      incident.span = random_.span(1s, 10min);
  }
  return incident;
}

void Generator::draw_incidents() {
  const auto count = random_.chance(300) ? 0 : random_.between(1, world_.large ? 12 : 6);
  for (std::int64_t i = 0; i < count; ++i) world_.incidents.push_back(draw_incident());
  world_.incidents.push_back({.at = world_.heals_at, .what = What::AllHeals});
  sort_by(world_.incidents, &Incident::at);
}

// New features of worlds are drawn last, so that worlds without them stay the same.

/// A message that is read piece by piece, from a store that fails now and then.
void Generator::draw_read_errors() {
  if (!random_.chance(100)) return;
  world_.read_errors = static_cast<unsigned>(random_.between(1, 300));
  random_.pick(world_.messages).octets = 300'000;
}

/// Messages that the queue reader could find between their commit and their offer.
void Generator::draw_late_offers() {
  if (!random_.chance(50)) return;
  for (MessagePlan& message : world_.messages) message.offered_after = random_.span(100ms, 10s);
}

/// Less than all copies need.
void Generator::draw_memory() {
  if (!random_.chance(300)) return;
  constexpr std::size_t kCopies[] = {1, 6, 20, 60};
  constexpr std::size_t kOfLane[] = {1, 2, 3, 10, 1000};
  constexpr std::size_t kOctets[] = {0, 5'000, 20'000};
  delivery::MemoryLimits& memory = world_.settings.memory;
  memory.copies = random_.pick(kCopies);
  memory.risk_copies = random_.pick(kCopies);
  memory.copies_per_lane = random_.pick(kOfLane);
  memory.guaranteed_copies = static_cast<std::size_t>(random_.between(1, 10));
  memory.fresh_octets = random_.pick(kOctets);
}

/// The best host of a domain is away for a moment, and all the others take nothing.
void Generator::draw_stubborn_backup() {
  constexpr auto kWhile = 20min;
  if (!random_.chance(60) || world_.heals_at < kWhile) return;
  constexpr std::pair<int, std::string_view> kSays[] = {
      {450, "4.7.1"}, {450, "4.2.1"}, {550, "5.7.1"}};
  const std::vector<std::size_t> hosts = usable_hosts(world_, random_.pick(world_.domains));
  if (hosts.size() < 2) return;
  for (const std::size_t host : hosts) {
    Mood& mood = world_.hosts[host].mood;
    mood.habits.clear();
    if (host == hosts.front()) continue;
    const auto& [code, status] = random_.pick(kSays);
    mood.habits.push_back({.step = Step::Rcpt, .per_mille = 1000, .code = code, .status = status});
  }
  const auto from = milliseconds(random_.between(0, (world_.heals_at - kWhile).count()));
  Incident away{.at = from, .what = What::HostReach, .target = hosts.front()};
  away.reach = Reach::Refuses;
  Incident back = away;
  back.at += random_.span(1s, 2min);
  back.reach = Reach::Up;
  world_.incidents.push_back(away);
  world_.incidents.push_back(back);
}

}  // namespace

World generate_world(std::uint64_t seed, bool large) { return Generator(seed, large).make(); }

}  // namespace relay::simulation
