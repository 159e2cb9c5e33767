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
constexpr auto kSlow = 10s;
constexpr auto kTick = 1s;
constexpr auto kVerb = 1s;

}  // namespace

Fairness::Fairness(Book& book, Verdicts& verdicts, SimClock& clock, const Pauses& pauses)
    : book_(book),
      verdicts_(verdicts),
      clock_(clock),
      pauses_(pauses),
      dns_(book.world()),
      groups_(book.groups().size() * 2),
      calm_since_(clock.steady()) {}

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

/// Who has waited for so long may be told to make room for others, which cannot be seen from here.
void Fairness::waits(const Connection& connection, std::chrono::nanoseconds span) {
  if (span <= 0s) return;
  for (const std::size_t number : connection.groups) {
    Group& group = groups_[number];
    group.waited += span;
    group.needs_full_time = group.needs_full_time || group.waited >= kSlow - kTick;
  }
}

void Fairness::ended(std::uint32_t connection, bool failed) {
  Connection& known = connections_[connection];
  end_pending(known);
  std::erase(open_, connection);
  for (const std::size_t group : known.groups) {
    groups_[group].active_at = clock_.steady();
    if (!failed) continue;
    groups_[group].troubled_at = clock_.steady();
    groups_[group].unreachable = true;
  }
}

void Fairness::troubled(std::uint32_t connection, const Said& said) {
  const bool of_recipient = said.step == Step::Rcpt && said.code != 421;
  if (of_recipient) return;
  for (const std::size_t group : connections_[connection].groups) {
    groups_[group].troubled_at = clock_.steady();
    if (said.step < Step::Mail) groups_[group].unreachable = true;
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
  // With other hosts it has to prove itself anew, and it cannot be seen from when on.
  if (!book_.moves(group)) groups_[group].took_at = clock_.steady();
  groups_[group].unreachable = false;
  groups_[group].needs_full_time = false;
}

void Fairness::cut_off(std::size_t group) {
  groups_[group].troubled_at = clock_.steady();
  groups_[group].needs_full_time = true;
}

bool Fairness::took_lately(const Group& group) const {
  return group.took_at != base::SteadyTime{} && clock_.steady() - group.took_at < kProven;
}

bool Fairness::proven(const Group& group) const {
  return took_lately(group) && group.troubled_at < group.took_at;
}

bool Fairness::paused(const CopyTruth& copy) const {
  if (pauses_.none()) return false;
  // A rule about a host may keep back whatever might go there.
  return pauses_.keep_back(book_.messages()[copy.name.message].aliases[copy.name.index], "");
}

/// Whoever stands in line waits for those who have the places and for those before it.
std::chrono::nanoseconds Fairness::in_line(std::size_t waiting) const {
  const auto ahead = static_cast<std::int64_t>((waiting + places_ - 1) / places_);
  return kPlaceHeld * (ahead + 1);
}

std::chrono::nanoseconds Fairness::limit_of(const Group& group, Waiting waiting) const {
  const std::chrono::nanoseconds for_outage = group.unreachable ? kOutage + kPlaceHeld : 0s;
  if (group.needs_full_time) {
    const std::size_t places = std::max<std::size_t>(slow_places_ / 2, 1);
    const auto ahead = static_cast<std::int64_t>((waiting.full_time + places - 1) / places);
    return std::max<std::chrono::nanoseconds>(for_outage, full_time_ * (ahead + 1) + kPlaceHeld);
  }
  if (group.unreachable) return for_outage;
  const std::chrono::nanoseconds as_unknown =
      proven(group) ? 0s : in_line(waiting.unknown - 1) + kTick;
  if (!took_lately(group)) return as_unknown;
  // Where all places are taken by the like of it, it stands in line as others do.
  const bool crowded = waiting.took_lately > places_ || waiting.sessions >= places_;
  return std::max<std::chrono::nanoseconds>(
      as_unknown, kProvenWait + kTick + (crowded ? in_line(waiting.took_lately - 1) : 0s));
}

/// Who was ahead may have changed its class, or be gone, by the time that the wait is too long.
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
  const auto since = std::max({copy.due_at, busy_until(group), group.active_at, calm_since_,
                               slow_full_until_, pauses_.lifted_at()});
  const auto limit = limit_of(group, waiting) + dns_.most(copy.domain) + slack_;
  if (then - since <= limit || paused(copy)) return;
  verdicts_.violate(
      Rule::Starved, copy.name,
      fmt::format("due for {} ms, and nothing happens for its destination ({}; {} proven ones and "
                  "{} unknown ones wait for {} places each)",
                  std::chrono::duration_cast<std::chrono::milliseconds>(then - since).count(),
                  proven(group) ? "proven" : "unknown", waiting.proven, waiting.unknown, places_));
}

/// … of sessions that wait for the reply to a dot. Then others that are slow keep their places.
bool Fairness::slow_places_are_full() const {
  const auto waits = [this](std::uint32_t number) {
    const Connection& one = connections_[number];
    return is_busy(one) && one.dot_at && clock_.steady() >= *one.dot_at + kSlow;
  };
  return static_cast<std::size_t>(std::ranges::count_if(open_, waits)) >= slow_places_;
}

void Fairness::check(base::SteadyTime then) {
  if (slow_places_are_full()) slow_full_until_ = then;
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
      // The risk pool has a rate, which is another judge's business.
      if (copy.state != State::Waiting || copy.due_at > then || copy.risk_pool) continue;
      due.push_back(&copy);
      groups_[copy.group].waits = true;
    }
  }
  Waiting waiting;
  for (const Group& group : groups_) {
    const bool served = group.pending > 0 || busy_until(group) > clock_.steady();
    if (group.waits && !proven(group)) ++waiting.unknown;
    if (group.waits && group.needs_full_time) ++waiting.full_time;
    if ((group.waits || served) && proven(group)) ++waiting.proven;
    if ((group.waits || served) && took_lately(group)) ++waiting.took_lately;
  }
  waiting.sessions = static_cast<std::size_t>(std::ranges::count_if(
      open_, [this](std::uint32_t connection) { return is_busy(connections_[connection]); }));
  for (Group& group : groups_) remember(group, waiting);
  for (CopyTruth* copy : due) check_copy(*copy, then);
  check_expectations(then);
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

void Fairness::expect_move(std::vector<CopyName> copies) {
  for (const CopyName copy : copies) expected_.push_back({copy, clock_.steady()});
}

/// Something must have moved for its destination. Where others keep all places busy, or the copy
/// is held back for another reason, nothing can be said.
void Fairness::check_expectations(base::SteadyTime then) {
  std::erase_if(expected_, [&](const Expectation& expected) {
    const CopyTruth* copy = book_.find(expected.copy);
    if (copy == nullptr || copy->state != State::Waiting || copy->risk_pool) return true;
    const Group& group = groups_[copy->group];
    const bool moved = group.pending > 0 || group.active_at >= expected.since ||
                       busy_until(group) > expected.since || copy->due_at > expected.since;
    const auto others = std::ranges::count_if(groups_, [&](const Group& one) {
      return one.pending > 0 || busy_until(one) > expected.since;
    });
    const bool crowded = static_cast<std::size_t>(others) >= places_;
    const auto offered_at = book_.messages()[expected.copy.message].offered_at;
    if (offered_at > expected.since) return true;
    if (moved || crowded || paused(*copy) || calm_since_ > expected.since) return true;
    if (then - expected.since <= kVerb + dns_.most(copy->domain) + slack_) return false;
    verdicts_.violate(Rule::VerbLate, copy->name, "nothing moved within a second after the verb");
    return true;
  });
}

}  // namespace relay::simulation
