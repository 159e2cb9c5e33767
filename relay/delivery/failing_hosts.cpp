#include "relay/delivery/failing_hosts.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "relay/base/network.hpp"

namespace relay::delivery {

using base::SteadyTime;

std::string FailingHosts::key_of(const Candidate& host) {
  std::string key = base::text_of(host.endpoint.address) + ' ' + std::to_string(host.endpoint.port);
  if (host.source) key += ' ' + host.source->to_string();
  return key;
}

const FailingHosts::Known* FailingHosts::find(const Candidate& host) const {
  const auto found = index_.find(key_of(host));
  return found == index_.end() ? nullptr : &*found->second;
}

FailingHosts::Known& FailingHosts::fetch(const Candidate& host) {
  std::string key = key_of(host);
  if (const auto found = index_.find(key); found != index_.end()) {
    entries_.splice(entries_.begin(), entries_, found->second);
    return entries_.front();
  }
  if (entries_.size() >= kMaxKnown) {
    index_.erase(entries_.back().key);
    entries_.pop_back();
  }
  entries_.push_front({key, SteadyTime::min(), SteadyTime::min(), SteadyTime::min()});
  index_.emplace(std::move(key), entries_.begin());
  return entries_.front();
}

void FailingHosts::failed(const Candidate& host, Failure failure, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  const SteadyTime until = failure == Failure::Session ? now + kAskedLast : now;
  note_failed(host, until, now);
}

void FailingHosts::throttled(const Candidate& host, const HostList& list, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  const auto is_way_out = [&](const Candidate& other) {
    if (!same_host(other, host)) return false;
    if (other.endpoint.address.is_v4() == host.endpoint.address.is_v4()) return false;
    const Known* known = find(other);
    return known == nullptr || known->failed_at == SteadyTime::min();
  };
  if (std::ranges::any_of(list.hosts, is_way_out)) note_failed(host, now, now);
}

void FailingHosts::note_failed(const Candidate& host, SteadyTime last_until, SteadyTime now) {
  Known& known = fetch(host);
  known.asked_at = now;
  known.failed_at = now;
  known.last_until = std::max(known.last_until, last_until);
}

/// Null: no host is failing, so nothing needs to be noted.
FailingHosts::Known* FailingHosts::note_asked(const Candidate& host, SteadyTime now) {
  if (index_.empty()) return nullptr;
  Known& known = fetch(host);
  known.asked_at = now;
  return &known;
}

void FailingHosts::asked(const Candidate& host, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  note_asked(host, now);
}

void FailingHosts::took(const Candidate& host, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  Known* const known = note_asked(host, now);
  if (known == nullptr) return;
  known->failed_at = SteadyTime::min();
  known->last_until = SteadyTime::min();
}

bool FailingHosts::is_last(const Candidate& host, const HostList& list, SteadyTime now) const {
  const Known* known = find(host);
  if (known == nullptr || known->failed_at == SteadyTime::min()) return false;
  if (now < known->last_until) return true;
  bool all_asked = true;
  bool any_answered = false;
  for (const Candidate& other : list.hosts) {
    if (other.endpoint == host.endpoint) continue;
    const Known* theirs = find(other);
    const bool asked = theirs != nullptr && theirs->asked_at >= known->failed_at;
    all_asked = all_asked && asked;
    any_answered = any_answered || (asked && theirs->failed_at < theirs->asked_at);
  }
  // Hosts behind one that answers are not tried, so waiting for all of them could take for ever.
  return !all_asked && !(any_answered && now >= known->failed_at + kAskedLast);
}

std::vector<std::size_t> FailingHosts::order_of(const HostList& list, SteadyTime now) {
  const std::lock_guard lock(mutex_);

  struct Rank {
    bool last = false;
    SteadyTime failed_at = SteadyTime::min();  ///< the host that failed longest ago goes first
    std::uint16_t preference = 0;
    std::uint64_t chance = 0;
  };

  std::vector<Rank> ranks;
  ranks.reserve(list.hosts.size());
  for (const Candidate& host : list.hosts) {
    Rank rank{.last = !index_.empty() && is_last(host, list, now), .preference = host.preference};
    if (rank.last) rank.failed_at = find(host)->failed_at;
    // Addresses of one host keep their order: IPv6 and IPv4 alternate.
    const bool goes_on = !ranks.empty() && same_host(list.hosts[ranks.size() - 1], host);
    rank.chance = goes_on ? ranks.back().chance : dice_.roll();
    ranks.push_back(rank);
  }
  // The failing addresses of one host stand together, at the place of the one that failed last. So
  // no host has two turns before another has had its first.
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    for (std::size_t j = 0; j < ranks.size(); ++j) {
      if (!ranks[i].last || !ranks[j].last || !same_host(list.hosts[i], list.hosts[j])) continue;
      ranks[i].failed_at = std::max(ranks[i].failed_at, ranks[j].failed_at);
    }
  }
  std::vector<std::size_t> order(list.hosts.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, {}, [&](std::size_t at) {
    const Rank& rank = ranks[at];
    return std::tuple(rank.last, rank.failed_at, rank.preference, rank.chance, at);
  });
  return order;
}

bool FailingHosts::is_best(const Candidate& host, const HostList& list, SteadyTime now) {
  const auto own = std::ranges::find(list.hosts, host);
  if (own == list.hosts.end()) return false;
  const std::lock_guard lock(mutex_);
  if (index_.empty()) return own->preference == list.hosts.front().preference;
  if (is_last(*own, list, now)) return false;
  return std::ranges::none_of(list.hosts, [&](const Candidate& other) {
    return other.preference < own->preference && !is_last(other, list, now);
  });
}

}  // namespace relay::delivery
