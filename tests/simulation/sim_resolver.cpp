#include "tests/simulation/sim_resolver.hpp"

#include <algorithm>

#include "tests/simulation/fairness.hpp"

namespace relay::simulation {

using ports::DnsError;

SimResolver::SimResolver(const World& world, SimClock& clock, Random random, Fairness* fairness)
    : world_(world),
      clock_(clock),
      random_(random),
      fairness_(fairness),
      illness_(world.domains.size(), Illness::None),
      has_moved_(world.domains.size(), false) {
  for (std::size_t i = 0; i < world.domains.size(); ++i) {
    domains_[world.domains[i].name] = i;
    if (world.domains[i].silent) illness_[i] = Illness::Silent;
  }
  for (std::size_t i = 0; i < world.hosts.size(); ++i) hosts_[world.hosts[i].name] = i;
}

/// False: the deadline came first.
base::Task<bool> SimResolver::wait(base::SteadyTime until, base::Deadline deadline) {
  base::Bell bell;
  const base::Cut::Wait watched(deadline.cut, [&bell] { bell.ring(); });
  while (clock_.steady() < until) {
    if (deadline.passed(clock_.steady())) co_return false;
    co_await clock_.sleep_until(std::min(until, deadline.at), bell);
  }
  co_return true;
}

std::expected<ports::DnsAnswer<ports::MxHost>, DnsError> SimResolver::answer_of(
    std::size_t domain) {
  const DomainPlan& plan = world_.domains[domain];
  if (illness_[domain] != Illness::None) return std::unexpected(DnsError::Temporary);
  if (plan.dns == DomainPlan::Dns::NullMx) return std::unexpected(DnsError::NullMx);
  if (plan.dns == DomainPlan::Dns::NoSuchName) return std::unexpected(DnsError::NoSuchName);
  ports::DnsAnswer<ports::MxHost> answer;
  answer.ttl = plan.ttl;
  for (const Exchange& exchange : has_moved_[domain] ? plan.moves_to : plan.exchanges) {
    answer.records.push_back({exchange.preference, world_.hosts[exchange.host].name});
  }
  return answer;
}

base::Task<std::expected<ports::DnsAnswer<ports::MxHost>, DnsError>> SimResolver::mx(
    std::string domain, base::Deadline deadline) {
  const auto found = domains_.find(domain);
  if (found == domains_.end()) co_return std::unexpected(DnsError::NoSuchName);
  const std::size_t number = found->second;
  const bool silent = illness_[number] == Illness::Silent;
  const auto at = silent ? base::SteadyTime::max() : clock_.steady() + latency();
  if (fairness_ != nullptr) fairness_->asked_dns(number, std::min(at, deadline.at));
  const bool in_time = co_await wait(at, deadline);
  auto answer = in_time ? answer_of(number) : std::unexpected(DnsError::Timeout);
  if (fairness_ != nullptr) {
    const auto failure = in_time ? DnsWaits::Answer::Failed : DnsWaits::Answer::Silence;
    fairness_->heard_dns(number, answer ? DnsWaits::Answer::Found : failure);
  }
  co_return answer;
}

base::Task<std::expected<ports::DnsAnswer<boost::asio::ip::address>, DnsError>>
SimResolver::addresses(std::string host, base::Deadline deadline) {
  const auto found = hosts_.find(host);
  if (found == hosts_.end()) co_return std::unexpected(DnsError::NoSuchName);
  const bool in_time = co_await wait(clock_.steady() + latency(), deadline);
  if (!in_time) co_return std::unexpected(DnsError::Timeout);
  ports::DnsAnswer<boost::asio::ip::address> answer;
  answer.records = world_.hosts[found->second].addresses;
  co_return answer;
}

base::Task<std::expected<ports::DnsAnswer<boost::asio::ip::address>, DnsError>>
SimResolver::addresses_of(std::string host, ports::IpFamily family, base::Deadline deadline) {
  auto answer = co_await addresses(std::move(host), deadline);
  if (!answer) co_return answer;
  const bool v4 = family == ports::IpFamily::V4;
  std::erase_if(answer->records, [v4](const auto& one) { return one.is_v4() != v4; });
  if (answer->records.empty()) co_return std::unexpected(DnsError::NoData);
  co_return answer;
}

base::Task<std::expected<ports::DnsAnswer<std::string>, DnsError>> SimResolver::names(
    boost::asio::ip::address, base::Deadline) {
  co_return std::unexpected(DnsError::NoSuchName);
}

base::Task<std::expected<ports::DnsAnswer<std::string>, DnsError>> SimResolver::txt(
    std::string, base::Deadline) {
  co_return std::unexpected(DnsError::NoSuchName);
}

}  // namespace relay::simulation
