// The events of destinations and of connections that serve them.
#include <algorithm>

#include "tests/simulation/fairness.hpp"

namespace relay::simulation {

using namespace std::chrono_literals;

void Fairness::active(std::uint32_t connection, base::SteadyTime until) {
  Connection& known = connections_[connection];
  end_pending(known);
  waits(known, until - std::max(known.busy_until, clock_.steady()));
  known.busy_until = std::max(known.busy_until, until);
  for (const std::size_t group : known.groups) groups_[group].active_at = clock_.steady();
}

void Fairness::serves(std::uint32_t connection, std::size_t group) {
  Connection& known = connections_[connection];
  end_pending(known);
  known.groups.assign(1, group);
  known.dot_at.reset();
  groups_[group].active_at = clock_.steady();
  groups_[group].unreachable = false;
}

void Fairness::dialling(std::uint32_t number, int host, bool risk_pool) {
  connections_.resize(number + 1);
  Connection& connection = connections_[number];
  connection.pool = risk_pool ? 1 : 0;
  connection.pending = true;
  connection.pending_since = clock_.steady();
  open_.push_back(number);
  const auto& domains = book_.world().domains;
  for (std::size_t domain = 0; host >= 0 && domain < domains.size(); ++domain) {
    if (!book_.usable(domain, static_cast<std::size_t>(host))) continue;
    const std::size_t group = book_.group_of_domain(domain, risk_pool);
    if (std::ranges::find(connection.groups, group) != connection.groups.end()) continue;
    connection.groups.push_back(group);
    ++groups_[group].pending;
    groups_[group].active_at = clock_.steady();
  }
  suspect_cuts(connection.pool);
}

void Fairness::dot_may_be_written(std::uint32_t connection) {
  connections_[connection].dot_at = clock_.steady();
}

void Fairness::fell_silent(std::uint32_t connection) {
  Connection& known = connections_[connection];
  if (std::exchange(known.pending, true)) return;
  known.pending_since = clock_.steady();
  for (const std::size_t group : known.groups) ++groups_[group].pending;
}

void Fairness::end_pending(Connection& connection) {
  if (!std::exchange(connection.pending, false)) return;
  waits(connection, clock_.steady() - connection.pending_since);
  for (const std::size_t group : connection.groups) --groups_[group].pending;
}

void Fairness::waits(const Connection& connection, std::chrono::nanoseconds span) {
  if (span <= 0s) return;
  for (const std::size_t number : connection.groups) groups_[number].waited += span;
  suspect_cuts(connection.pool);
}

/// No session is cut off while a slow place is free. Slow places are taken by connections, by
/// sessions between two connections, and by groups that get their full time.
bool Fairness::slow_may_be_full(std::size_t pool) const {
  if (calm_since_ > clock_.steady()) return true;  // sessions wait for the store, too
  const auto of_pool = [&](std::uint32_t number) { return connections_[number].pool == pool; };
  auto taken = std::ranges::count_if(open_, of_pool) + std::ssize(pools_[pool].ended);
  for (std::size_t group = pool; group < groups_.size(); group += pools_.size()) {
    taken += groups_[group].needs_full_time ? 1 : 0;
  }
  return static_cast<std::size_t>(taken) >= pools_[pool].places;
}

/// A session that has waited for so long may have been cut off for others. Not every cut can be
/// seen: an outcome may not mention it, or not be recorded.
void Fairness::suspect_cuts(std::size_t pool) {
  auto& ended = pools_[pool].ended;
  std::erase_if(ended, [&](auto at) { return at + kTick + slack_ < clock_.steady(); });
  if (!slow_may_be_full(pool)) return;
  for (const std::uint32_t number : open_) {
    const Connection& connection = connections_[number];
    if (connection.pool != pool) continue;
    const auto since = connection.pending ? connection.pending_since : clock_.steady();
    for (const std::size_t at : connection.groups) {
      Group& group = groups_[at];
      const auto waited = group.waited + (clock_.steady() - since);
      group.needs_full_time = group.needs_full_time || waited >= kSlow - kTick;
    }
  }
}

void Fairness::ended(std::uint32_t connection, bool failed) {
  Connection& known = connections_[connection];
  end_pending(known);
  suspect_cuts(known.pool);
  std::erase(open_, connection);
  pools_[known.pool].ended.push_back(clock_.steady());
  for (const std::size_t group : known.groups) {
    groups_[group].active_at = clock_.steady();
    if (!failed) continue;
    groups_[group].troubled_at = clock_.steady();
    groups_[group].unreachable = true;
  }
}

void Fairness::replied(std::uint32_t connection, const Said& said) {
  const auto& groups = connections_[connection].groups;
  if (said.step == Step::Dot && said.code < 300) {
    for (const std::size_t group : groups) groups_[group].said_taken_at = clock_.steady();
  }
  const bool of_recipient = said.step == Step::Rcpt && said.code != 421;
  if (said.code < 400 || of_recipient) return;
  for (const std::size_t group : groups) {
    groups_[group].troubled_at = clock_.steady();
    // After a reply about all mail, nothing may be tried for a while.
    const bool slow_down =
        said.status.starts_with("4.7.") && (said.code == 421 || said.step == Step::Mail);
    if (said.step < Step::Mail || slow_down) groups_[group].unreachable = true;
  }
}

void Fairness::asked_dns(std::size_t domain, base::SteadyTime until) {
  for (const bool risk_pool : {false, true}) {
    Group& group = groups_[book_.group_of_domain(domain, risk_pool)];
    group.active_at = clock_.steady();
    group.busy_until = std::max(group.busy_until, until);
  }
}

void Fairness::recorded(std::size_t group, bool took) {
  groups_[group].active_at = clock_.steady();
  groups_[group].waited = {};
  if (!took) return;
  // A later refusal in the same attempt is in its record, too, and counts.
  groups_[group].took_at = groups_[group].said_taken_at;
  groups_[group].unreachable = false;
  groups_[group].needs_full_time = false;
}

void Fairness::cut_off(std::size_t group) {
  groups_[group].troubled_at = clock_.steady();
  groups_[group].needs_full_time = true;
}

void Fairness::content_unreadable(const MessageTruth& message) {
  for (const CopyTruth& copy : message.copies) groups_[copy.group].active_at = clock_.steady();
}

void Fairness::process_died() {
  for (Group& group : groups_) {
    group.took_at = {};
    group.unreachable = false;
    group.waited = {};
    group.needs_full_time = false;
  }
  dns_.process_died();
  expected_.clear();
}

}  // namespace relay::simulation
