#include "tests/powercut/promises.hpp"

#include <algorithm>

#include "relay/spool/rows.hpp"
#include "tests/powercut/workload.hpp"

namespace relay::powercut {

namespace {

const base::WallTime kNow{std::chrono::milliseconds(1'795'500'000'000)};

/// The running counts equal those of a full count, and no row is orphaned.
bool is_consistent(spool::Connection& connection) {
  return connection.pragma(
             "SELECT (SELECT count(*) FROM tally WHERE "
             "messages = (SELECT count(*) FROM message) AND "
             "octets = (SELECT coalesce(sum(size), 0) FROM message) AND "
             "waiting = (SELECT count(*) FROM recipient WHERE state = 0 AND flags & 4 = 0) AND "
             "held = (SELECT count(*) FROM recipient WHERE state = 1 OR state = 0 AND flags & 4) "
             "AND "
             "tokens = (SELECT count(*) FROM token) AND "
             "reports = (SELECT count(*) FROM report)) + "
             "(SELECT count(*) FROM draft) + (SELECT count(*) - count(DISTINCT number) FROM slot) "
             "+ (SELECT count(*) FROM token_count c WHERE tokens <> (SELECT count(*) FROM token t "
             "WHERE c.counted_under IN (t.counted_under, t.counted_wider))) "
             "+ (SELECT count(*) FROM token WHERE counted_under NOT IN "
             "(SELECT counted_under FROM token_count)) "
             "+ (SELECT count(*) FROM greylist_count c WHERE number <> (SELECT count(*) FROM "
             "greylist "
             "g WHERE g.counted_under = c.counted_under AND (g.passes > 0) = c.passed)) "
             "+ (SELECT coalesce(sum(number), 0) FROM greylist_count) "
             "- (SELECT count(*) FROM greylist) "
             "+ (SELECT count(*) FROM slot WHERE id NOT IN (SELECT id FROM message)) "
             "+ (SELECT count(*) FROM chunk WHERE id NOT IN (SELECT id FROM message)) "
             "+ (SELECT count(*) FROM recipient WHERE id NOT IN (SELECT id FROM message)) "
             "+ (SELECT count(*) FROM attempt WHERE id NOT IN (SELECT id FROM message)) "
             "+ (SELECT count(*) FROM notice WHERE id NOT IN (SELECT id FROM message)) "
             "+ (SELECT count(*) FROM notice WHERE id NOT IN (SELECT id FROM report)) "
             "+ (SELECT count(*) FROM report WHERE id NOT IN (SELECT id FROM notice)) "
             "+ (SELECT count(*) FROM message WHERE id NOT IN "
             "(SELECT id FROM recipient WHERE state < 2 UNION SELECT id FROM notice))") == "1";
}

}  // namespace

void Verdict::trouble(std::uint64_t Verdict::* counter, const std::string& what) {
  ++(this->*counter);
  if (example.empty()) example = what;
}

void Verdict::add(const Verdict& other) {
  for (auto counter : {&Verdict::images, &Verdict::moments, &Verdict::second_lives,
                       &Verdict::unopened, &Verdict::lost, &Verdict::undone, &Verdict::damaged,
                       &Verdict::tokens_lost, &Verdict::dsns_lost}) {
    this->*counter += other.*counter;
  }
  if (example.empty()) example = other.example;
}

void Promises::advance(const Fact& fact) {
  using Kind = Fact::Kind;
  switch (fact.kind) {
    case Kind::Acknowledged:
      for (const State state : fact.states) messages_[fact.id].push_back({.allowed = {state}});
      return;
    case Kind::TokenGiven:
      tokens_.insert(fact.id);
      return;
    case Kind::Remembered:
      remembered_.insert(fact.id);
      return;
    case Kind::PauseAsked:
      pauses_.try_emplace(fact.text, std::set<bool>{false}).first->second.insert(!fact.off);
      return;
    case Kind::PauseAnswered:
      pauses_[fact.text] = {!fact.off};
      return;
    default:
      break;
  }
  Copy* const copy = find(fact);
  if (copy == nullptr) return;
  if (fact.kind == Kind::Asked) copy->allowed.insert(fact.state);
  if (fact.kind == Kind::Answered) copy->allowed = {fact.state};
  const bool goes_on = fact.kind == Kind::Answered && fact.state != State::Ended;
  if (goes_on && copy->debt == Debt::MayBeOwed) copy->debt = Debt::None;
  if (fact.kind == Kind::DebtAsked) copy->debt = Debt::MayBeOwed;
  if (fact.kind == Kind::DebtAnswered) copy->debt = Debt::Owed;
  if (fact.kind == Kind::PayAsked) copy->debt = Debt::MayBePaid;
  if (fact.kind == Kind::PayAnswered) copy->debt = Debt::Paid;
  if (fact.kind == Kind::PayAsked) copy->dsn = fact.dsn;
  forget_finished(fact.id);
}

Promises::Copy* Promises::find(const Fact& fact) {
  const auto found = messages_.find(fact.id);
  return found == messages_.end() ? nullptr : &found->second.at(fact.index);
}

/// Every copy has ended: nothing more is owed for the message but that it stays gone.
void Promises::forget_finished(const base::Ulid& id) {
  const auto found = messages_.find(id);
  const bool finished = std::ranges::all_of(found->second, [](const Copy& copy) {
    return copy.allowed == std::set{State::Ended} &&
           (copy.debt == Debt::None || copy.debt == Debt::Paid);
  });
  if (!finished) return;
  messages_.erase(found);
  ended_.insert(id);
}

Promises::Rows Promises::rows_of(spool::Connection& connection) {
  Rows rows;
  spool::Statement messages(connection.raw(), "SELECT id FROM message");
  while (messages.step()) rows.messages.insert(spool::id_of(messages.view(0)));
  const auto key = [](const spool::Statement& row) {
    return Key(spool::id_of(row.view(0)), static_cast<std::uint16_t>(row.number(1)));
  };
  spool::Statement copies(connection.raw(), "SELECT id, idx, state, flags FROM recipient");
  while (copies.step()) {
    const auto state =
        static_cast<std::int64_t>(spool::state_of(copies.number(2), copies.number(3)));
    rows.copies.emplace(key(copies), static_cast<State>(std::min<std::int64_t>(state, 2)));
  }
  spool::Statement notices(connection.raw(), "SELECT id, idx FROM notice");
  while (notices.step()) rows.notices.insert(key(notices));
  spool::Statement resends(connection.raw(), "SELECT id FROM resend");
  while (resends.step()) rows.remembered.insert(spool::id_of(resends.view(0)));
  spool::Statement pauses(connection.raw(), "SELECT value FROM pause_rule");
  while (pauses.step()) rows.pauses.insert(pauses.text(0));
  return rows;
}

void Promises::judge(spool::OpenedDatabase& queue, Verdict& verdict) const {
  spool::Connection& connection = *queue.connection;
  const std::string sound = connection.pragma("PRAGMA integrity_check(1)");
  if (sound != "ok") verdict.trouble(&Verdict::damaged, sound);
  if (!is_consistent(connection)) verdict.trouble(&Verdict::damaged, "tables do not agree");
  const Rows rows = rows_of(connection);
  for (const auto& [id, copies] : messages_) {
    for (std::uint16_t index = 0; index < copies.size(); ++index) {
      const Copy& copy = copies[index];
      const auto row = rows.copies.find({id, index});
      const State actual = row == rows.copies.end() ? State::Ended : row->second;
      const std::string name = id.to_string() + " " + std::to_string(index);
      judge_state(copy, actual, name, verdict);
      judge_debt(copy, actual, rows.notices.contains({id, index}), rows.messages.contains(copy.dsn),
                 name, verdict);
    }
    if (rows.messages.contains(id)) judge_content(id, *queue.tables, verdict);
  }
  for (const auto& id : ended_) {
    if (rows.messages.contains(id)) {
      verdict.trouble(&Verdict::undone, "message " + id.to_string() + " is there again");
    }
  }
  for (const auto& id : tokens_) {
    if (!queue.tables->tokens.find(id.to_string(), kNow)) {
      verdict.trouble(&Verdict::tokens_lost, "the token of " + id.to_string() + " is gone");
    }
  }
  for (const auto& id : remembered_) {
    if (rows.remembered.count(id) != 1) {
      verdict.trouble(&Verdict::undone, id.to_string() + " is not known if it is sent again");
    }
  }
  for (const auto& [value, allowed] : pauses_) {
    if (!allowed.contains(rows.pauses.contains(value))) {
      verdict.trouble(&Verdict::undone, "the rule about " + value);
    }
  }
}

void Promises::judge_state(const Copy& copy, State actual, const std::string& name,
                           Verdict& verdict) {
  if (copy.allowed.contains(actual)) return;
  if (actual == State::Ended) return verdict.trouble(&Verdict::lost, "copy " + name + " is gone");
  verdict.trouble(&Verdict::undone, "copy " + name + " is not as it was left");
}

/// A failure never stands without its debt, and a debt is paid once.
void Promises::judge_debt(const Copy& copy, State actual, bool owed, bool told,
                          const std::string& name, Verdict& verdict) {
  bool good = true;
  switch (copy.debt) {
    case Debt::None:
    case Debt::Paid:
      good = !owed;
      break;
    case Debt::MayBeOwed:
      good = owed == (actual == State::Ended);
      break;
    case Debt::Owed:
      good = owed;
      break;
    case Debt::MayBePaid:
      good = owed != told;
      break;
  }
  if (!good) verdict.trouble(&Verdict::dsns_lost, "what is owed for " + name);
}

void Promises::judge_content(const base::Ulid& id, spool::Tables& tables, Verdict& verdict) {
  const auto queued = tables.reader.load_whole(id);
  if (!queued) return verdict.trouble(&Verdict::lost, "message " + id.to_string());
  std::uint64_t octets = 0;
  for (std::uint32_t sequence = 0;; ++sequence) {
    const auto chunk = tables.contents.read(id, sequence);
    if (!chunk || !spool::is_sound(id, sequence, *chunk)) {
      return verdict.trouble(&Verdict::damaged, "content of " + id.to_string());
    }
    if (chunk->octets.empty()) break;
    octets += chunk->octets.size();
  }
  if (octets != queued->message.size) {
    verdict.trouble(&Verdict::damaged, "octets of " + id.to_string());
  }
  for (const auto& copy : queued->recipients) {
    const auto& handling = copy.route.handling;
    const bool whole = !handling.seal || (handling.reason == reason_of(id, copy.route.index) &&
                                          queued->message.seal_fields == seal_of(id));
    if (!whole) verdict.trouble(&Verdict::damaged, "handling of " + id.to_string());
  }
}

}  // namespace relay::powercut
