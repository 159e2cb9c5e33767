#include "relay/delivery/mx_selection.hpp"

#include <algorithm>
#include <tuple>
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
  if (error == DnsError::NullMx) {  // RFC 7505 §4.2
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

/// "[192.0.2.1]" or "[IPv6:2001:db8::1]"; mail::Domain has checked the syntax.
address literal_address(const std::string& domain) {
  std::string inner = domain.substr(1, domain.size() - 2);
  if (base::starts_with_ignoring_case(inner, "IPv6:")) inner.erase(0, 5);
  boost::system::error_code error;
  return boost::asio::ip::make_address(inner, error);
}

/// Alternates IPv6 and IPv4, so that a broken family does not use up all attempts.
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

/// Mail of the risk pool leaves only from the pool's own addresses, if it has any, and not at all
/// over a family without one: it would spoil the reputation of the ordinary addresses.
bool can_leave(const ports::LaneKey& lane, const address& remote, const Policy& policy) {
  const RiskPool& risk = policy.risk;
  if (!lane.risk_pool || (!risk.source_v4 && !risk.source_v6)) return true;
  return remote.is_v6() ? risk.source_v6.has_value() : risk.source_v4.has_value();
}

std::optional<address> source_for(const ports::LaneKey& lane, const address& remote,
                                  const Policy& policy) {
  const RiskPool& risk = policy.risk;
  const bool own = lane.risk_pool && (risk.source_v4 || risk.source_v6);
  if (own) return remote.is_v6() ? risk.source_v6 : risk.source_v4;
  return remote.is_v6() ? policy.source_v6 : policy.source_v4;
}

/// Everything that makes connections to these hosts alike: such lists are paced together.
std::string group_key(const HostList& list, const ports::LaneKey& lane, const Policy& policy) {
  const Candidate& first = list.hosts.front();
  std::string key = list.provider ? "provider " + *list.provider : list.key;
  key += " tls ";
  key += mail::name(first.demand.level);
  for (const std::string& identity : first.demand.identities) key += ' ' + identity;
  for (const auto& source : {source_for(lane, boost::asio::ip::address_v4(), policy),
                             source_for(lane, boost::asio::ip::address_v6(), policy)}) {
    if (source) key += " from " + source->to_string();
  }
  if (lane.risk_pool) key += " risk";
  return key;
}

/// Names and ports in order of preference, equal ones by name: the same for every lane.
std::string list_key(const std::vector<Candidate>& hosts) {
  std::string key;
  const std::string* before = nullptr;
  for (const Candidate& host : hosts) {
    if (before != nullptr && *before == host.host) continue;
    if (!key.empty()) key += ' ';
    key += host.host + ':' + std::to_string(host.endpoint.port);
    before = &host.host;
  }
  return key;
}

Unroutable loops_back(const std::string& domain) {
  return unroutable(OutcomeKind::Failed, {5, 4, 6},
                    "mail for " + domain + " loops back to this host");
}

}  // namespace

base::Task<std::expected<std::vector<MxSelection::Host>, Unroutable>> MxSelection::mx_hosts(
    Draft& draft) {
  const std::string& domain = draft.destination.lane.domain;
  const std::uint16_t port = draft.policy->outbound.port;
  std::vector<Host> hosts;
  auto answer = co_await resolver_.mx(domain, draft.deadline);
  if (!answer) {
    if (answer.error() != DnsError::NoData) {
      co_return std::unexpected(from_dns(answer.error(), domain));
    }
    // No MX: the domain itself. Whether DNSSEC has proven that is seen from its addresses: they
    // have the same name, so the same zone signs them and the denial of the MX.
    hosts.push_back({.name = domain, .port = port});
    co_return hosts;
  }
  draft.ttl = std::min(draft.ttl, answer->ttl);
  auto& records = answer->records;
  const auto us = std::ranges::find(records, draft.policy->hostname.folded(), &ports::MxHost::name);
  if (us != records.end()) {
    const auto ours = us->preference;
    std::erase_if(records, [ours](const auto& mx) { return mx.preference >= ours; });
    if (records.empty()) co_return std::unexpected(loops_back(domain));
  }
  std::erase_if(records, [](const auto& mx) { return !is_host_name(mx.name); });
  if (records.empty()) {
    co_return std::unexpected(
        unroutable(OutcomeKind::Failed, {5, 4, 4}, "no usable MX host for " + domain));
  }
  std::ranges::sort(records, [](const auto& a, const auto& b) {
    return std::tie(a.preference, a.name) < std::tie(b.preference, b.name);
  });
  for (auto& mx : records) {
    hosts.push_back({.name = std::move(mx.name),
                     .port = port,
                     .preference = mx.preference,
                     .secure = answer->secure});
  }
  co_return hosts;
}

base::Task<std::expected<std::vector<MxSelection::Host>, Unroutable>> MxSelection::hosts_of(
    Draft& draft) {
  std::vector<Host> hosts;
  for (const auto& hop : draft.destination.hops) {
    hosts.push_back({.name = hop.host,
                     .port = hop.port,
                     .preference = static_cast<std::uint16_t>(hosts.size()),
                     .configured = true,
                     .demand = hop.tls});
  }
  const std::string& domain = draft.destination.lane.domain;
  if (hosts.empty() && domain.starts_with('[')) {
    hosts.push_back(
        {.name = literal_address(domain).to_string(), .port = draft.policy->outbound.port});
  }
  if (hosts.empty()) co_return co_await mx_hosts(draft);
  co_return hosts;
}

base::Task<std::expected<ports::DnsAnswer<address>, DnsError>> MxSelection::addresses(
    std::string name, base::Deadline deadline) {
  boost::system::error_code error;
  const address parsed = boost::asio::ip::make_address(name, error);
  if (!error) co_return ports::DnsAnswer<address>{.records = {parsed}, .ttl = kLongest};
  auto answer = co_await resolver_.addresses(std::move(name), deadline);
  if (answer) answer->records = interleaved(answer->records);
  co_return answer;
}

base::Deadline MxSelection::deadline_for(const Draft& draft, bool is_last) const {
  if (is_last) return draft.deadline;
  const auto now = clock_.steady();
  return {.at = now + (draft.deadline.at - now) / 2, .cut = draft.deadline.cut};
}

/// False: the host is this relay, so no host from its preference on may be used.
base::Task<bool> MxSelection::add_addresses(Draft& draft, const Host& host, std::size_t at_most,
                                            bool is_last) {
  const auto& [destination, policy, deadline, ttl, chosen, why, silent] = draft;
  const auto found = co_await addresses(host.name, deadline_for(draft, is_last));
  if (!found) {
    // A temporary failure of one host outweighs permanent failures of others. If the missing name
    // is a host's and not the domain itself, report it as missing data: the domain exists.
    const bool missing =
        found.error() == DnsError::NoSuchName && host.name != destination.lane.domain;
    const auto error = missing ? DnsError::NoData : found.error();
    if (why.kind != OutcomeKind::Deferred) draft.why = from_dns(error, host.name);
    if (ports::is_temporary(error)) draft.ttl = std::min(draft.ttl, kAskAgain);
    if (error == DnsError::Timeout && !silent) draft.silent = host.preference;
    co_return true;
  }
  draft.ttl = std::min(draft.ttl, found->ttl);
  if (std::ranges::any_of(found->records, [&](const address& one) {
        return is_own_endpoint(one, host.port, *policy);
      })) {
    if (chosen.empty()) draft.why = loops_back(destination.lane.domain);
    co_return host.configured;  // a route is set by the operator: go on with its other hosts
  }
  std::size_t taken = 0;
  for (const address& one : found->records) {
    if (!host.configured && !may_dial(one, host.port, *policy)) {
      if (why.kind == OutcomeKind::Deferred) continue;
      draft.why = unroutable(OutcomeKind::Failed, {5, 4, 6},
                             host.name + " leads to " + one.to_string() +
                                 ", which is not dialled (see outbound.allow_private)");
    } else if (!can_leave(destination.lane, one, *policy)) {
      draft.why = unroutable(OutcomeKind::Deferred, {4, 4, 4},
                             "the risk pool has no address to reach " + one.to_string() + " from");
    } else if (taken < at_most) {
      ++taken;
      draft.chosen.push_back({.host = host.name,
                              .endpoint = {one, host.port},
                              .preference = host.preference,
                              .demand = host.demand,
                              .source = source_for(destination.lane, one, *policy),
                              .secure = host.secure && found->secure});
    }
  }
  co_return true;
}

base::Task<std::expected<HostList, Unroutable>> MxSelection::hosts(
    Destination destination, std::shared_ptr<const Policy> policy, std::chrono::seconds within,
    base::Cut* cut) {
  Draft draft{.destination = std::move(destination), .policy = std::move(policy)};
  draft.deadline = base::Deadline{.at = clock_.steady() + within, .cut = cut};
  draft.why = unroutable(OutcomeKind::Failed, {5, 4, 4}, "no address to deliver to");
  auto hosts = co_await hosts_of(draft);
  if (!hosts) co_return std::unexpected(std::move(hosts.error()));
  const std::size_t per_host =
      std::max<std::size_t>(2, (kMaxAddresses + hosts->size() - 1) / hosts->size());
  std::optional<std::uint16_t> ours;  ///< preference of this relay, if it is in the list
  for (const Host& host : *hosts) {
    if (draft.chosen.size() >= kMaxAddresses || (ours && host.preference >= *ours)) break;
    const bool is_last = &host == &hosts->back();
    const bool goes_on = co_await add_addresses(draft, host, per_host, is_last);
    if (!goes_on) ours = host.preference;
  }
  if (ours) {  // hosts with our own preference may have been taken before us
    std::erase_if(draft.chosen, [&](const Candidate& one) { return one.preference >= *ours; });
    if (draft.chosen.empty()) draft.why = loops_back(draft.destination.lane.domain);
  }
  if (draft.chosen.empty()) co_return std::unexpected(std::move(draft.why));
  HostList list{.hosts = std::move(draft.chosen), .policy = draft.policy};
  list.passes_over = draft.silent && list.hosts.back().preference >= *draft.silent;
  list.key = list_key(list.hosts);
  if (const auto& providers = draft.policy->providers) {
    const std::string* name = providers->name_of(list.hosts.front().host);
    if (name != nullptr) list.provider = *name;
  }
  list.group = group_key(list, draft.destination.lane, *draft.policy);
  list.valid_until = clock_.steady() + std::clamp(draft.ttl, kShortest, kLongest);
  co_return list;
}

}  // namespace relay::delivery
