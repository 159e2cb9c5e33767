#include "relay/delivery/mx_selection.hpp"

#include <algorithm>
#include <utility>

#include "relay/base/text.hpp"
#include "relay/delivery/address_policy.hpp"

namespace relay::delivery {

namespace {

using boost::asio::ip::address;
using mail::OutcomeKind;
using ports::DnsError;

Unroutable unroutable(OutcomeKind kind, mail::EnhancedStatus status, std::string text,
                      int code = 0) {
  Unroutable outcome;
  outcome.kind = kind;
  outcome.attempt.stage = mail::Stage::Dns;
  outcome.attempt.code = code;
  outcome.attempt.status = status;
  outcome.attempt.text = std::move(text);
  return outcome;
}

Unroutable from_dns(DnsError error, const std::string& name) {
  std::string text = std::string(ports::describe(error)) + ": " + name;
  if (error == DnsError::NullMx) {  // RFC 7505 §4.2, N-6
    return unroutable(OutcomeKind::Failed, {5, 1, 10}, std::move(text), 556);
  }
  if (error == DnsError::NoSuchName) {
    return unroutable(OutcomeKind::Failed, {5, 1, 2}, std::move(text));
  }
  if (error == DnsError::NoData) {
    return unroutable(OutcomeKind::Failed, {5, 4, 4}, std::move(text));
  }
  return unroutable(OutcomeKind::Deferred, {4, 4, 3}, std::move(text));
}

/// "[192.0.2.1]" or "[IPv6:2001:db8::1]"; the grammar has been checked by mail::Domain.
address literal_address(const std::string& domain) {
  std::string inner = domain.substr(1, domain.size() - 2);
  if (base::starts_with_ignoring_case(inner, "IPv6:")) inner.erase(0, 5);
  boost::system::error_code error;
  return boost::asio::ip::make_address(inner, error);
}

/// IPv6 and IPv4 in turns, so that a broken family does not use up all attempts (O-10).
std::vector<address> interleaved(const std::vector<address>& given) {
  std::vector<address> first;
  std::vector<address> second;
  for (const address& one : given) (one.is_v6() ? first : second).push_back(one);
  std::vector<address> mixed;
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) mixed.push_back(first[i]);
    if (i < second.size()) mixed.push_back(second[i]);
  }
  return mixed;
}

std::pair<smtp::TlsUse, ports::TlsLevel> tls_of(forward::TlsDemand demand) {
  using enum forward::TlsDemand;
  switch (demand) {
    case Auto:
      return {smtp::TlsUse::IfOffered, ports::TlsLevel::Opportunistic};
    case Require:
      return {smtp::TlsUse::Required, ports::TlsLevel::Opportunistic};
    case Verify:
      return {smtp::TlsUse::Required, ports::TlsLevel::Verify};
    case None:
      return {smtp::TlsUse::Never, ports::TlsLevel::Opportunistic};
  }
  return {smtp::TlsUse::Required, ports::TlsLevel::Verify};
}

/// Mail of the risk pool leaves from the pool's own addresses or, where it has none of that family,
/// not at all: it would spoil the good name of the others.
bool can_leave(const Destination& destination, const address& remote, const Policy& policy) {
  const RiskPool& risk = policy.risk;
  if (!destination.risk_pool || (!risk.source_v4 && !risk.source_v6)) return true;
  return remote.is_v6() ? risk.source_v6.has_value() : risk.source_v4.has_value();
}

std::optional<address> source_for(const Destination& destination, const address& remote,
                                  const Policy& policy) {
  const RiskPool& risk = policy.risk;
  const bool own = destination.risk_pool && (risk.source_v4 || risk.source_v6);
  if (own) return remote.is_v6() ? risk.source_v6 : risk.source_v4;
  return remote.is_v6() ? policy.source_v6 : policy.source_v4;
}

}  // namespace

void MxSelection::shuffle_ties(std::vector<ports::MxHost>& hosts) {
  for (std::size_t i = hosts.size(); i > 1; --i) {
    std::swap(hosts[i - 1], hosts[dice_.roll() % i]);
  }
  // Insertion keeps the shuffled order among equals; the list is short.
  for (auto next = hosts.begin(); next != hosts.end(); ++next) {
    const auto place = std::ranges::upper_bound(hosts.begin(), next, next->preference, {},
                                                &ports::MxHost::preference);
    std::rotate(place, next, std::next(next));
  }
}

base::Task<std::expected<std::vector<MxSelection::Host>, Unroutable>> MxSelection::mx_hosts(
    std::string domain, std::shared_ptr<const Policy> policy, base::Deadline deadline) {
  std::vector<Host> hosts;
  auto answer = co_await resolver_.mx(domain, deadline);
  if (!answer) {
    if (answer.error() != DnsError::NoData)
      co_return std::unexpected(from_dns(answer.error(), domain));
    hosts.push_back({.name = domain, .port = policy->port});  // no MX: the domain itself
    co_return hosts;
  }
  auto& records = answer->records;
  // We are one of them: only better ones may be asked, or mail would go in circles (N-5).
  const auto us = std::ranges::find(records, policy->hostname.folded(), &ports::MxHost::name);
  if (us != records.end()) {
    const auto ours = us->preference;
    std::erase_if(records, [ours](const auto& mx) { return mx.preference >= ours; });
    if (records.empty()) {
      co_return std::unexpected(unroutable(OutcomeKind::Failed, {5, 4, 6},
                                           "mail for " + domain + " loops back to this host"));
    }
  }
  std::erase_if(records, [](const auto& mx) { return !is_host_name(mx.name); });  // N-7
  if (records.empty()) {
    co_return std::unexpected(
        unroutable(OutcomeKind::Failed, {5, 4, 4}, "no usable MX host for " + domain));
  }
  shuffle_ties(records);
  for (auto& mx : records) hosts.push_back({.name = std::move(mx.name), .port = policy->port});
  co_return hosts;
}

base::Task<std::expected<std::vector<address>, DnsError>> MxSelection::addresses(
    std::string name, base::Deadline deadline) {
  boost::system::error_code error;
  const address parsed = boost::asio::ip::make_address(name, error);
  if (!error) co_return std::vector{parsed};
  auto answer = co_await resolver_.addresses(std::move(name), deadline);
  if (!answer) co_return std::unexpected(answer.error());
  co_return interleaved(answer->records);
}

base::Task<std::expected<std::vector<Candidate>, Unroutable>> MxSelection::candidates(
    Destination destination, std::shared_ptr<const Policy> policy, base::Deadline deadline) {
  std::vector<Host> hosts;
  for (const auto& hop : destination.hops) {
    const auto [use, level] = tls_of(hop.tls);
    hosts.push_back({hop.host, hop.port, true, use, level});
  }
  if (hosts.empty() && destination.domain.starts_with('[')) {
    hosts.push_back(
        {.name = literal_address(destination.domain).to_string(), .port = policy->port});
  }
  if (hosts.empty()) {
    auto found = co_await mx_hosts(destination.domain, policy, deadline);
    if (!found) co_return std::unexpected(std::move(found.error()));
    hosts = std::move(*found);
  }
  const std::size_t most = policy->addresses_per_attempt;
  const std::size_t per_host = std::max<std::size_t>(2, (most + hosts.size() - 1) / hosts.size());
  std::vector<Candidate> chosen;
  Unroutable why = unroutable(OutcomeKind::Failed, {5, 4, 4}, "no address to deliver to");
  for (const Host& host : hosts) {
    if (chosen.size() >= most) break;
    const auto found = co_await addresses(host.name, deadline);
    if (!found) {
      // A temporary failure of one host outweighs the final failures of others.
      const bool missing = found.error() == DnsError::NoSuchName && host.name != destination.domain;
      const auto error = missing ? DnsError::NoData : found.error();  // the domain itself exists
      if (why.kind != OutcomeKind::Deferred) why = from_dns(error, host.name);
      continue;
    }
    std::size_t taken = 0;
    for (const address& one : *found) {
      const bool allowed = host.configured ? !is_own_endpoint(one, host.port, *policy)
                                           : may_dial(one, host.port, *policy);
      if (!allowed) {
        if (why.kind == OutcomeKind::Deferred) continue;
        why = unroutable(OutcomeKind::Failed, {5, 4, 6},
                         host.name + " leads to " + one.to_string() + ", which is not dialled");
      } else if (!can_leave(destination, one, *policy)) {
        why = unroutable(OutcomeKind::Deferred, {4, 4, 4},
                         "the risk pool has no address to reach " + one.to_string() + " from");
      } else if (taken < per_host && chosen.size() < most) {
        ++taken;
        chosen.push_back({host.name,
                          {one, host.port},
                          host.tls,
                          host.level,
                          source_for(destination, one, *policy)});
      }
    }
  }
  if (chosen.empty()) co_return std::unexpected(std::move(why));
  co_return chosen;
}

}  // namespace relay::delivery
