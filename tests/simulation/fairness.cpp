#include "tests/simulation/fairness.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace relay::simulation {

using namespace std::chrono_literals;
using State = CopyTruth::State;

namespace {

constexpr auto kProven = 1h;
constexpr auto kProvenWait = 5s;
constexpr std::chrono::milliseconds kPlaceHeld{11'000};  ///< until a slow one moves, at a tick
constexpr auto kOutage = 10min;  ///< the longest for which nothing is dialled after a failure
constexpr auto kVerb = 1s;

}  // namespace

Fairness::Fairness(Book& book, Verdicts& verdicts, SimClock& clock, const Pauses& pauses)
    : book_(book),
      verdicts_(verdicts),
      clock_(clock),
      pauses_(pauses),
      dns_(book.world()),
      groups_(book.groups().size() * 2),
      calm_since_(clock.steady()) {
  for (std::size_t at = 0; at < groups_.size(); ++at) groups_[at].moves = book.moves(at);
}

/// If there is one place only, none can be reserved.
bool Fairness::took_lately(const Group& group) const {
  if (pool_of(group).places < 2) return false;
  return group.took_at != base::SteadyTime{} && clock_.steady() - group.took_at < kProven;
}

bool Fairness::proven(const Group& group) const {
  return took_lately(group) && !group.moves && group.troubled_at < group.took_at;
}

bool Fairness::paused(const CopyTruth& copy) const {
  if (pauses_.none()) return false;
  // A rule about a host may keep back every copy that might go there.
  return pauses_.keep_back(book_.messages()[copy.name.message].aliases[copy.name.index], "");
}

/// A destination in line waits for those that have the places and for those before it.
std::chrono::nanoseconds Fairness::in_line(const Pool& pool, std::size_t waiting) {
  const auto ahead = static_cast<std::int64_t>((waiting + pool.half() - 1) / pool.half());
  return kPlaceHeld * (ahead + 1);
}

std::chrono::nanoseconds Fairness::limit_of(const Group& group, Waiting waiting) const {
  const Pool& pool = pool_of(group);
  const std::chrono::nanoseconds for_outage = group.unreachable ? kOutage + kPlaceHeld : 0s;
  if (group.needs_full_time) {
    const auto ahead =
        static_cast<std::int64_t>((waiting.full_time + pool.half() - 1) / pool.half());
    return std::max<std::chrono::nanoseconds>(for_outage, full_time_ * (ahead + 1) + kPlaceHeld);
  }
  if (group.unreachable) return for_outage;
  const std::chrono::nanoseconds as_unknown =
      proven(group) ? 0s : in_line(pool, waiting.unknown - 1) + kTick;
  if (!took_lately(group) || group.moves) return as_unknown;
  // If the places reserved for its class are taken by its class, it stands in line as others do.
  const bool crowded = waiting.took_lately > pool.half() || waiting.sessions >= pool.half();
  return std::max<std::chrono::nanoseconds>(
      as_unknown, kProvenWait + kTick + (crowded ? in_line(pool, waiting.took_lately - 1) : 0s));
}

/// Destinations ahead may have changed their class, or be gone, by the time that the wait is too
/// long.
void Fairness::remember(Group& group, const Waiting& waiting) const {
  const bool waits_on = group.waits && group.active_at <= group.looked_at;
  if (!waits_on) group.most = {};
  for (auto count : {&Waiting::proven, &Waiting::took_lately, &Waiting::unknown,
                     &Waiting::full_time, &Waiting::sessions}) {
    group.most.*count = std::max(group.most.*count, waiting.*count);
  }
  group.looked_at = clock_.steady();
}

void Fairness::check_copy(CopyTruth& copy, base::SteadyTime then) {
  const Group& group = groups_[copy.group];
  const Waiting& waiting = group.most;
  if (group.pending > 0 || busy_until(group) > then) return;
  const Pool& pool = pool_of(group);
  const auto since = std::max({copy.due_at, copy.found_by, busy_until(group), group.active_at,
                               calm_since_, pool.slow_full_until, pauses_.lifted_at()});
  const auto limit = limit_of(group, waiting) + pool.pace + dns_.most(copy.domain) + slack_;
  if (then - since <= limit || paused(copy)) return;
  verdicts_.violate(
      Rule::Starved, copy.name,
      fmt::format("due for {} ms, and nothing happens for its destination ({}; {} proven ones and "
                  "{} unknown ones wait for {} places each)",
                  std::chrono::duration_cast<std::chrono::milliseconds>(then - since).count(),
                  proven(group) ? "proven" : "unknown", waiting.proven, waiting.unknown,
                  pool.half()));
}

/// … of sessions that wait for the reply to a dot. Then others that are slow keep their places.
bool Fairness::slow_places_are_full(std::size_t pool) const {
  const auto waits = [&](std::uint32_t number) {
    const Connection& one = connections_[number];
    const bool awaited = one.dot_at && clock_.steady() >= *one.dot_at + kSlow;
    return one.pool == pool && is_busy(one) && awaited;
  };
  return static_cast<std::size_t>(std::ranges::count_if(open_, waits)) >= pools_[pool].places;
}

/// A session of a group that took mail lately has one of the places reserved for such groups.
Fairness::Waiting Fairness::waiting_in(std::size_t pool) const {
  Waiting waiting;
  for (std::size_t at = pool; at < groups_.size(); at += pools_.size()) {
    const Group& group = groups_[at];
    const bool served = group.pending > 0 || busy_until(group) > clock_.steady();
    if (group.waits && !proven(group)) ++waiting.unknown;
    if (group.waits && group.needs_full_time) ++waiting.full_time;
    if ((group.waits || served) && proven(group)) ++waiting.proven;
    if ((group.waits || served) && took_lately(group)) ++waiting.took_lately;
  }
  waiting.sessions =
      static_cast<std::size_t>(std::ranges::count_if(open_, [&](std::uint32_t number) {
        const Connection& one = connections_[number];
        return one.pool == pool && is_busy(one) &&
               std::ranges::any_of(one.groups,
                                   [&](std::size_t at) { return took_lately(groups_[at]); });
      }));
  return waiting;
}

void Fairness::check(base::SteadyTime then) {
  for (std::size_t pool = 0; pool < pools_.size(); ++pool) {
    if (slow_places_are_full(pool)) pools_[pool].slow_full_until = then;
    suspect_cuts(pool);
  }
  for (Group& group : groups_) {
    group.waits = false;
    group.served_until = {};
  }
  for (const std::uint32_t connection : open_) {
    for (const std::size_t group : connections_[connection].groups) {
      auto& until = groups_[group].served_until;
      until = std::max(until, connections_[connection].busy_until);
    }
  }
  std::vector<CopyTruth*> due;
  for (MessageTruth& message : book_.messages()) {
    if (!message.committed) continue;
    for (CopyTruth& copy : message.copies) {
      if (copy.state != State::Waiting || copy.due_at > then) continue;
      due.push_back(&copy);
      groups_[copy.group].waits = true;
    }
  }
  for (std::size_t pool = 0; pool < pools_.size(); ++pool) {
    const Waiting waiting = waiting_in(pool);
    for (std::size_t at = pool; at < groups_.size(); at += pools_.size()) {
      remember(groups_[at], waiting);
    }
  }
  for (CopyTruth* copy : due) check_copy(*copy, then);
  check_expectations(then);
}

void Fairness::expect_move(std::vector<CopyName> copies) {
  for (const CopyName copy : copies) expected_.push_back({copy, clock_.steady()});
}

/// Its destination must have been active. Nothing can be said if others keep all places busy, or if
/// the copy is held back for another reason, such as the rate of the risk pool.
void Fairness::check_expectations(base::SteadyTime then) {
  std::erase_if(expected_, [&](const Expectation& expected) {
    const CopyTruth* copy = book_.find(expected.copy);
    if (copy == nullptr || copy->state != State::Waiting || copy->risk_pool) return true;
    const Group& group = groups_[copy->group];
    const bool moved = group.pending > 0 || group.active_at >= expected.since ||
                       busy_until(group) > expected.since ||
                       std::max(copy->due_at, copy->found_by) > expected.since;
    const auto others = std::ranges::count_if(groups_, [&](const Group& one) {
      return one.pending > 0 || busy_until(one) > expected.since;
    });
    const bool crowded = static_cast<std::size_t>(others) >= pools_[0].half();
    const auto offered_at = book_.messages()[expected.copy.message].offered_at;
    if (offered_at > expected.since) return true;
    if (moved || crowded || paused(*copy) || calm_since_ > expected.since) return true;
    if (then - expected.since <= kVerb + dns_.most(copy->domain) + slack_) return false;
    verdicts_.violate(Rule::VerbLate, copy->name, "nothing moved within a second after the verb");
    return true;
  });
}

}  // namespace relay::simulation
