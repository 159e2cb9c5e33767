#include "tests/simulation/book.hpp"

#include <algorithm>

namespace relay::simulation {

std::vector<std::size_t> usable_hosts(const World& world, const DomainPlan& domain) {
  std::uint16_t ours = UINT16_MAX;
  for (const Exchange& exchange : domain.exchanges) {
    if (world.hosts[exchange.host].us != Us::No) ours = std::min(ours, exchange.preference);
  }
  std::vector<std::size_t> usable;
  for (const Exchange& exchange : domain.exchanges) {
    const bool before_us = ours == UINT16_MAX || exchange.preference < ours;
    if (before_us && world.hosts[exchange.host].us == Us::No) usable.push_back(exchange.host);
  }
  return usable;
}

std::string group_of(const World& world, const DomainPlan& domain) {
  std::vector<std::pair<std::uint16_t, std::string_view>> usable;
  for (const std::size_t host : usable_hosts(world, domain)) {
    const auto at = std::ranges::find(domain.exchanges, host, &Exchange::host);
    usable.emplace_back(at->preference, world.hosts[host].name);
  }
  if (!domain.by_route) std::ranges::sort(usable);
  // The group is known by its best host.
  const bool rolled_up = !usable.empty() && usable.front().second.ends_with(kProvider);
  std::string key(mail::name(domain.demand));
  if (rolled_up) return key.append(kProvider);
  for (const auto& [preference, name] : usable) key.append(" ").append(name);
  return usable.empty() ? key + domain.name : key;
}

Book::Book(const World& world)
    : moved_at(world.domains.size(), base::SteadyTime::max()),
      hosts(world.hosts.size()),
      world_(world),
      messages_(world.messages.size()) {
  for (const DomainPlan& domain : world.domains) {
    by_domain_[domain.name] = group_of_domain_.size();
    const std::string group = group_of(world, domain);
    const auto known = std::ranges::find(groups_, group);
    group_of_domain_.push_back(static_cast<std::size_t>(known - groups_.begin()));
    if (known == groups_.end()) {
      groups_.push_back(group);
      moves_.push_back(!domain.moves_to.empty());
    }
    std::uint64_t mask = 0;
    for (const std::size_t host : usable_hosts(world, domain)) mask |= std::uint64_t{1} << host;
    for (const Exchange& exchange : domain.moves_to) mask |= std::uint64_t{1} << exchange.host;
    usable_.push_back(mask);
  }
}

std::optional<std::size_t> Book::domain_named(std::string_view name) const {
  const auto found = by_domain_.find(std::string(name));
  if (found == by_domain_.end()) return std::nullopt;
  return found->second;
}

std::uint16_t Book::preference(std::size_t domain, std::size_t host) const {
  const auto& exchanges = world_.domains[domain].exchanges;
  return std::ranges::find(exchanges, host, &Exchange::host)->preference;
}

std::optional<std::size_t> Book::host_named(std::string_view name) const {
  const auto found = std::ranges::find(world_.hosts, name, &HostPlan::name);
  if (found == world_.hosts.end()) return std::nullopt;
  return static_cast<std::size_t>(found - world_.hosts.begin());
}

MessageTruth& Book::add(const ports::NewMessage& message, std::uint32_t number,
                        std::optional<std::uint32_t> dsn_of, std::uint64_t body_hash) {
  if (number >= messages_.size()) messages_.resize(number + 1);
  MessageTruth& truth = messages_[number];
  truth.number = number;
  truth.id = message.message.id;
  truth.null_sender = message.message.reverse_path.is_null();
  truth.may_be_told = !truth.null_sender &&
                      (message.message.sender_authenticated || world_.settings.bounce_to_anyone);
  truth.dsn_of = dsn_of;
  truth.body_hash = body_hash;
  by_id_[truth.id] = number;
  if (dsn_of) dsns_of_[*dsn_of].push_back(number);
  for (const mail::Route& route : message.routes) {
    CopyTruth copy;
    copy.name = {number, route.index};
    copy.key = dsn_of ? CopyName{*dsn_of, kToSender} : copy.name;
    copy.domain = domain_named(route.target.domain().folded()).value_or(0);
    copy.risk_pool = route.handling.risk_pool;
    copy.group = group_of_domain(copy.domain, copy.risk_pool);
    truth.copies.push_back(copy);
    truth.aliases.push_back(route.original.to_string());
  }
  return truth;
}

MessageTruth* Book::find(const mail::MessageId& id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &messages_[found->second];
}

MessageTruth* Book::find(std::string_view textual_id) {
  const auto id = base::Ulid::parse(textual_id);
  return id ? find(*id) : nullptr;
}

CopyTruth* Book::find(CopyName name) {
  if (name.message >= messages_.size()) return nullptr;
  auto& copies = messages_[name.message].copies;
  return name.index < copies.size() ? &copies[name.index] : nullptr;
}

void Book::owe(MessageTruth& message, std::uint16_t index, base::SteadyTime now) {
  message.owed.push_back({.index = index, .since = now});
  message.owed.back().owing = owing();
}

std::ptrdiff_t Book::owing() const {
  return std::ranges::count_if(messages_,
                               [](const MessageTruth& message) { return !message.owed.empty(); });
}

std::vector<CopyTruth*> Book::with_key(CopyName key) {
  std::vector<CopyTruth*> found;
  if (key.index != kToSender) {
    if (CopyTruth* copy = find(key)) found.push_back(copy);
    return found;
  }
  const auto dsns = dsns_of_.find(key.message);
  if (dsns == dsns_of_.end()) return found;
  for (const std::uint32_t number : dsns->second) {
    for (CopyTruth& copy : messages_[number].copies) found.push_back(&copy);
  }
  return found;
}

}  // namespace relay::simulation
