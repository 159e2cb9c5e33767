#include "tests/simulation/dns_troubles.hpp"

#include <algorithm>

namespace relay::simulation {

namespace {

using namespace std::chrono_literals;
using What = Incident::What;

/// A host that takes everything and serves no other domain.
std::size_t add_host(World& world, milliseconds dot_takes) {
  const std::size_t number = world.hosts.size();
  HostPlan host;
  host.name = "mx" + std::to_string(number) + ".hosts.example";
  host.addresses.push_back(
      boost::asio::ip::make_address_v4(0xC0000200U + static_cast<std::uint32_t>(number) + 1));
  if (dot_takes > 0ms) {
    host.mood.habits.push_back(
        {.step = Step::Dot, .what = Does::IsSlow, .per_mille = 1000, .span = dot_takes});
  }
  world.hosts.push_back(std::move(host));
  return number;
}

std::size_t add_domain(World& world, std::vector<Exchange> exchanges) {
  const std::size_t number = world.domains.size();
  world.domains.push_back(
      {.name = "d" + std::to_string(number) + ".example", .exchanges = std::move(exchanges)});
  return number;
}

void add_message(World& world, std::size_t domain, milliseconds at) {
  MessagePlan message{.at = at, .sender_domain = domain};
  message.copies.push_back({.domain = domain});
  world.messages.push_back(std::move(message));
}

/// A domain with so much mail that its host list expires, and its hosts change, while copies wait.
/// If no thread stalls, it is known for how long the old hosts may be asked.
void draw_move(World& world, Random& random) {
  const auto stalls = [](const Incident& one) { return one.what == What::LoopStalls; };
  if (!random.chance(150) || std::ranges::any_of(world.incidents, stalls)) return;
  const milliseconds dot_takes{random.between(500, 9'000)};
  const std::size_t domain = add_domain(world, {{10, add_host(world, dot_takes)}});
  if (random.chance(500)) {
    world.domains[domain].exchanges.push_back({20, add_host(world, dot_takes)});
  }
  world.domains[domain].moves_to = {{10, add_host(world, dot_takes)}};
  world.domains[domain].ttl = std::chrono::seconds(random.between(1, 15));
  const auto move_at = milliseconds(random.between(10'000, world.heals_at.count() / 2));
  world.incidents.push_back({.at = move_at, .what = What::DomainMoves, .target = domain});
  for (auto messages = random.between(5, 40); messages > 0; --messages) {
    const bool waits = random.chance(800);
    const auto from = waits ? move_at - 10s : move_at;
    add_message(world, domain, from + milliseconds(random.between(0, waits ? 10'000 : 60'000)));
  }
}

/// Domains whose DNS does not answer until the world heals, and few look-ups at once.
void draw_silence(World& world, Random& random) {
  if (!random.chance(100)) return;
  world.settings.lookups = static_cast<std::size_t>(random.between(2, 8));
  for (DomainPlan& domain : world.domains) {
    if (random.chance(700)) domain.ttl = std::chrono::seconds(random.between(1, 60));
  }
  const std::size_t host = add_host(world, 0ms);
  for (auto domains = random.between(5, 60); domains > 0; --domains) {
    const std::size_t domain = add_domain(world, {{10, host}});
    world.domains[domain].silent = true;
    const auto at = random.between(0, world.heals_at.count() / 2);
    add_message(world, domain, milliseconds(at));
  }
}

}  // namespace

void draw_dns_troubles(World& world, Random& random) {
  draw_move(world, random);
  draw_silence(world, random);
}

}  // namespace relay::simulation
