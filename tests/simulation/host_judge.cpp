#include "tests/simulation/host_judge.hpp"

#include <algorithm>
#include <bit>
#include <set>

#include <fmt/format.h>

namespace relay::simulation {

namespace {

using mail::Stage;
using namespace std::chrono_literals;

constexpr std::size_t kHostsPerAttempt = 3;
constexpr auto kAskedLast = 10min;

/// While no host answers, or a server wants a slower pace, copies get the last reply without being
/// tried.
bool may_answer_for_an_outage(const ports::CopyUpdate& update) {
  if (update.attempts.size() != 1) return false;
  const mail::DeliveryAttempt& last = update.attempts.front();
  const bool slow_down =
      last.status.subject == 7 && (last.code == 421 || last.stage == Stage::MailFrom);
  return last.stage < Stage::MailFrom || slow_down;
}

/// TLS had failed, or STARTTLS was refused.
bool fell_back(const mail::DeliveryAttempt& attempt) {
  return attempt.tls.empty() && attempt.tls_result != mail::TlsResult::None;
}

/// Then no other host may be asked.
bool settles(const mail::DeliveryAttempt& attempt) {
  if (attempt.code == 0 || attempt.stage < Stage::MailFrom) return false;
  if (attempt.code < 400) return true;
  if (attempt.code >= 500) return attempt.code != 503 && !fell_back(attempt);
  const bool of_mailbox = attempt.stage == Stage::RcptTo && attempt.status.subject == 2;
  return attempt.code != 421 && (of_mailbox || attempt.status.subject == 7);
}

}  // namespace

bool was_cut_off(const mail::DeliveryAttempt& attempt) {
  return attempt.text.starts_with("cut off");
}

bool turns_to_next_host(const mail::DeliveryAttempt& attempt) {
  const auto& [klass, subject, detail] = attempt.status;
  if (attempt.stage == Stage::Policy || attempt.stage == Stage::Dns) return false;
  if (was_cut_off(attempt)) return false;
  if (attempt.code == 0) return attempt.stage != Stage::EndOfData;  // lost, or silent
  const bool before_data = attempt.stage < Stage::Data;
  if (attempt.code >= 500 && before_data && fell_back(attempt)) return true;
  if (attempt.code < 400 || attempt.code >= 500) {
    return attempt.stage < Stage::MailFrom;  // of itself, not of our mail
  }
  if (subject == 7) return false;  // throttling, or greylisting
  if (attempt.code == 421) return true;
  if (attempt.stage == Stage::RcptTo) {
    const bool recipients = attempt.code == 452 || (subject == 5 && detail == 3);
    return !recipients && subject != 2;
  }
  return subject != 2;
}

HostJudge::HostJudge(Book& book, Verdicts& verdicts, SimClock& clock)
    : book_(book), verdicts_(verdicts), clock_(clock) {
  turns_.fill(Turns(book.world().hosts.size(),
                    {.began = base::SteadyTime::min(), .recorded = base::SteadyTime::min()}));
}

/// While the hosts change, it is not known which have to be asked.
bool HostJudge::moves(const CopyTruth& copy) const {
  return !book_.world().domains[copy.domain].moves_to.empty();
}

/// The last failure of the host lies long before this attempt, and since then every other host had
/// its turn, or one of them answered. A host with two addresses may have had half a turn.
bool HostJudge::was_passed_over(std::size_t host, const CopyTruth& copy, const Turns& turns) const {
  const base::SteadyTime began = copy.recorded_at;  // or later
  const HostTruth& truth = book_.hosts[host];
  const bool was_visited = truth.left_at != base::SteadyTime::min();
  if (!was_visited || truth.connections > 0 || truth.left_at > began - kAskedLast) return false;
  bool all_asked = true;
  bool any_answered = false;
  for (std::size_t other = 0; other < turns.size(); ++other) {
    if (!book_.usable(copy.domain, other)) continue;
    if (book_.world().hosts[other].addresses.size() > 1) return false;
    if (other == host) continue;
    const Turn& turn = turns[other];
    const bool asked = turn.began >= truth.left_at && turn.recorded <= began;
    all_asked = all_asked && asked;
    any_answered = any_answered || (asked && turn.answered);
  }
  return all_asked || any_answered;
}

/// An attempt begins with the best host that is not failing. A host is failing for ten minutes, and
/// until every other one was asked.
void HostJudge::recorded(const CopyTruth& copy, const ports::CopyUpdate& update) {
  std::set<std::size_t> asked;
  for (const auto& attempt : update.attempts) {
    const auto host = book_.host_named(attempt.host);
    if (!host) return;
    asked.insert(*host);
  }
  if (asked.size() > kHostsPerAttempt) {
    verdicts_.violate(Rule::TooManyHosts, copy.name,
                      fmt::format("{} hosts were asked in one attempt", asked.size()));
  }
  Turns& turns = turns_[copy.risk_pool ? 1 : 0];
  if (may_answer_for_an_outage(update)) {
    // The judge cannot know whether it was asked, but it has stopped answering.
    for (const std::size_t host : asked) turns[host].answered = false;
    return;
  }
  if (moves(copy)) return;
  const std::size_t first = *book_.host_named(update.attempts.front().host);
  if (!book_.usable(copy.domain, first)) return;  // which others judge
  const auto preference = book_.preference(copy.domain, first);
  for (std::size_t host = 0; host < turns.size(); ++host) {
    if (!book_.usable(copy.domain, host)) continue;
    if (book_.preference(copy.domain, host) >= preference) continue;
    if (!was_passed_over(host, copy, turns)) continue;
    verdicts_.violate(Rule::HostNotAsked, copy.name,
                      fmt::format("{} was asked before {}, which is better and not failing",
                                  book_.world().hosts[first].name, book_.world().hosts[host].name));
  }
  for (const auto& attempt : update.attempts) {
    turns[*book_.host_named(attempt.host)] = {copy.recorded_at, clock_.steady(), settles(attempt)};
  }
}

/// Of up to six usable hosts each is asked within two attempts, of this copy or of others whose
/// outcome shows it, unless a host ended so that no other may be asked.
void HostJudge::put_off(CopyTruth& copy, const ports::CopyUpdate& update) {
  const auto now = clock_.steady();
  const bool has_others = std::popcount(book_.usable_mask(copy.domain)) > 1;
  if (may_answer_for_an_outage(update) && has_others) return;
  // An attempt whose time is over, or whose content cannot be read, tries no further host.
  const bool goes_on =
      now - copy.due_at < book_.world().settings.attempt_limit && unreadable_at_ < copy.due_at;
  bool all_turned = goes_on && !update.attempts.empty();
  for (const auto& attempt : update.attempts) {
    const auto host = book_.host_named(attempt.host);
    all_turned = all_turned && host && turns_to_next_host(attempt);
    if (host) book_.hosts[*host].asked_at = now;
  }
  // A host that has taken mail meanwhile has its place again, and is asked first; so are hosts that
  // failed long ago, if another has answered. If a host asked for a slower pace, no other host is
  // asked.
  const bool long_ago = now - copy.asked_from >= kAskedLast;
  bool judged = all_turned && copy.all_turned && !moves(copy);
  std::size_t left_out = SIZE_MAX;
  for (std::size_t host = 0; host < book_.hosts.size(); ++host) {
    if (!book_.usable(copy.domain, host)) continue;
    const HostTruth& truth = book_.hosts[host];
    judged = judged && truth.took_at < copy.asked_from && truth.throttled_at < copy.asked_from &&
             !(long_ago && truth.answered_at >= copy.asked_from);
    // Other copies report on a host when their connection to it ends, which may be long before the
    // outcome.
    if (std::max(truth.asked_at, truth.left_at) < copy.asked_from) left_out = host;
  }
  if (judged && left_out != SIZE_MAX) {
    verdicts_.violate(Rule::HostNotAsked, copy.name,
                      book_.world().hosts[left_out].name + " was not asked in two attempts");
  }
  copy.asked_from = copy.recorded_at;
  copy.recorded_at = now;
  copy.all_turned = all_turned;
}

}  // namespace relay::simulation
