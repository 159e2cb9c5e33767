#include "tests/simulation/relay_under_test.hpp"

#include <algorithm>

namespace relay::simulation {

namespace {

std::shared_ptr<const forward::NextHopTable> routes_of(const World& world) {
  std::vector<forward::RouteRule> rules;
  for (const DomainPlan& domain : world.domains) {
    if (!domain.by_route) continue;
    forward::RouteRule rule{.match = domain.name, .hops = {}};
    for (const Exchange& exchange : domain.exchanges) {
      rule.hops.push_back(
          {.host = world.hosts[exchange.host].name, .tls = {.level = domain.demand}});
    }
    rules.push_back(std::move(rule));
  }
  if (rules.empty()) return nullptr;
  return std::make_shared<const forward::NextHopTable>(rules);
}

std::shared_ptr<const forward::ProviderTable> providers() {
  static const auto table =
      std::make_shared<const forward::ProviderTable>(std::vector<forward::Provider>{
          {.name = "outlook", .suffixes = {std::string(kProvider.substr(1))}}});
  return table;
}

std::size_t halved(std::size_t value, bool really) {
  return really ? std::max<std::size_t>(value / 2, 1) : value;
}

}  // namespace

delivery::Policy policy_of(const World& world, std::size_t variant) {
  const Settings& settings = world.settings;
  delivery::Policy policy(*mail::Domain::parse(std::string(kOurName)));
  policy.retry = {
      .schedule = settings.schedule, .expire = settings.expire, .warn_after = settings.warn_after};
  policy.timeouts = {.dns = settings.dns_limit,
                     .greeting = settings.command_limit,
                     .mail = settings.command_limit,
                     .rcpt = settings.command_limit,
                     .data = settings.command_limit,
                     .block = settings.command_limit,
                     .end_of_data = settings.dot_limit};
  policy.outbound = {
      .connections = static_cast<std::uint32_t>(settings.connections_per_destination),
      .max_connections = static_cast<std::uint32_t>(settings.connections_total),
      .connect_timeout = settings.connect_limit,
      .attempt_timeout = settings.attempt_limit};
  policy.hide_targets = true;
  policy.routes = routes_of(world);
  policy.providers = providers();
  policy.messages_per_connection = halved(settings.messages_per_connection, variant % 3 == 1);
  policy.recipients_per_transaction = halved(settings.recipients_per_transaction, variant % 3 == 2);
  policy.lookups_at_once = settings.lookups;
  policy.keep_open = settings.keep_open;
  policy.memory = settings.memory;
  const auto address = [](std::string_view text) {
    return boost::asio::ip::make_address(std::string(text));
  };
  policy.risk.source_v4 = address(kRiskAddress);
  policy.risk.connections = settings.risk_connections;
  policy.risk.rate = {.count = settings.risk_rate, .span = std::chrono::seconds{60}};
  policy.notices.to =
      settings.bounce_to_anyone ? mail::NoticesTo::Anyone : mail::NoticesTo::Authenticated;
  policy.own_endpoints = {{address(kOurAddress), 25}};
  return policy;
}

RelayUnderTest::RelayUnderTest(const World& world, std::vector<base::Executor> shards,
                               ports::Clock& clock, ports::Resolver& resolver,
                               ports::Dialer& dialer, ports::DeliveryQueue& queue, Random random)
    : world_(world),
      random_(random),
      policy_(std::make_shared<const delivery::Policy>(policy_of(world, 0))),
      scheduler_(std::move(shards), {.clock = clock,
                                     .resolver = resolver,
                                     .dialer = dialer,
                                     .queue = queue,
                                     .signer = nullptr,
                                     .log = log_,
                                     .policy = policy_,
                                     .watchdog = watchdog_,
                                     .seed = random_.next(),
                                     .new_id = [this, &queue] { return make_id(queue.now()); }}) {}

mail::MessageId RelayUnderTest::make_id(base::WallTime now) {
  std::array<std::uint8_t, 10> octets{};
  for (auto& octet : octets) octet = static_cast<std::uint8_t>(random_.next());
  return mail::MessageId::make(now, octets);
}

void RelayUnderTest::reload(std::size_t variant) {
  policy_.publish(std::make_shared<const delivery::Policy>(policy_of(world_, variant)));
  scheduler_.wake();
}

}  // namespace relay::simulation
