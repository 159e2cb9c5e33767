#include "relay/spool/greylist.hpp"

#include <map>

#include "relay/spool/rows.hpp"

namespace relay::spool {

using ports::GreylistAnswer;

namespace {

std::int64_t ms_of(std::chrono::seconds span) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(span).count();
}

}  // namespace

Greylist::Greylist(Connection& connection, std::int64_t max_rows)
    : connection_(connection),
      max_rows_(max_rows),
      select_(connection.raw(),
              "SELECT at_ms, passes, expires_ms, counted_under FROM greylist WHERE key = ?1"),
      upsert_(connection.raw(),
              "INSERT INTO greylist VALUES (?1,?2,?3,?4,?5) ON CONFLICT (key) DO UPDATE SET "
              "at_ms = ?2, passes = ?3, expires_ms = ?4, counted_under = ?5"),
      count_(connection.raw(), "SELECT count(*) FROM greylist WHERE (passes > 0) = ?1"),
      most_(connection.raw(),
            "SELECT counted_under, number FROM greylist_count WHERE passed = ?1 "
            "ORDER BY number DESC LIMIT 1"),
      count_of_owner_(connection.raw(),
                      "INSERT INTO greylist_count VALUES (?1,?2,?3) "
                      "ON CONFLICT DO UPDATE SET number = number + ?3"),
      forget_owner_(connection.raw(),
                    "DELETE FROM greylist_count WHERE passed = ?1 AND counted_under = ?2 "
                    "AND number <= 0"),
      drop_first_(connection.raw(),
                  "DELETE FROM greylist WHERE key = (SELECT key FROM greylist WHERE "
                  "(passes > 0) = ?1 ORDER BY expires_ms LIMIT 1) RETURNING counted_under"),
      drop_first_of_(connection.raw(),
                     "DELETE FROM greylist WHERE key = (SELECT key FROM greylist WHERE "
                     "(passes > 0) = ?1 AND counted_under = ?2 ORDER BY expires_ms LIMIT 1) "
                     "RETURNING counted_under"),
      delete_expired_(connection.raw(),
                      "DELETE FROM greylist WHERE key IN (SELECT key FROM greylist WHERE "
                      "(passes > 0) = ?1 AND expires_ms <= ?2 ORDER BY expires_ms LIMIT 1000) "
                      "RETURNING counted_under") {}

GreylistAnswer Greylist::see(const ports::GreylistKey& key, const ports::GreylistRules& rules,
                             base::WallTime now) {
  const std::int64_t now_ms = spool::ms_of(now);
  const auto lives = [now_ms](const std::optional<Row>& row) {
    return row && row->expires_ms > now_ms;
  };
  const std::optional<Row> network = find(key.network);
  if (lives(network) && network->passes >= rules.trusted_after) {
    keep_longer(key.network, *network, rules, now_ms);
    return GreylistAnswer::TrustedNetwork;
  }
  const std::optional<Row> sender = find(key.sender);
  // A first visit in the future was noted under a wrong clock.
  if (!lives(sender) || sender->at_ms > now_ms) {
    if (rules.takes_new) {
      put(key.sender, {now_ms, 0, now_ms + ms_of(rules.retry_window), key.counted_under}, sender);
    }
    return GreylistAnswer::First;
  }
  if (sender->passed()) {
    keep_longer(key.sender, *sender, rules, now_ms);
    return GreylistAnswer::Known;
  }
  if (now_ms - sender->at_ms < ms_of(rules.delay)) return GreylistAnswer::TooSoon;
  put(key.sender, {sender->at_ms, 1, now_ms + ms_of(rules.remember), key.counted_under}, sender);
  count_pass(key, rules, now_ms);
  return GreylistAnswer::Passed;
}

/// Passes within one delay count once: a message to many recipients passes many times at once.
void Greylist::count_pass(const ports::GreylistKey& key, const ports::GreylistRules& rules,
                          std::int64_t now_ms) {
  const std::optional<Row> before = find(key.network);
  const bool lives = before && before->expires_ms > now_ms && before->at_ms <= now_ms;
  if (lives && now_ms - before->at_ms < ms_of(rules.delay)) return;
  const std::int64_t passes = lives ? before->passes + 1 : 1;
  put(key.network, {now_ms, passes, now_ms + ms_of(rules.remember), key.counted_under}, before);
}

/// Extends the expiry, but not at every visit: each would cost a write.
void Greylist::keep_longer(const std::string& key, const Row& row,
                           const ports::GreylistRules& rules, std::int64_t now_ms) {
  const std::int64_t remember = ms_of(rules.remember);
  if (now_ms + remember - row.expires_ms <= remember / 16) return;
  put(key, {row.at_ms, row.passes, now_ms + remember, row.counted_under}, row);
}

std::optional<Greylist::Row> Greylist::find(const std::string& key) {
  const Use use(select_);
  select_.bind_blob(1, key);
  if (!select_.step()) return std::nullopt;
  return Row{select_.number(0), select_.number(1), select_.number(2), select_.text(3)};
}

void Greylist::put(const std::string& key, const Row& row, const std::optional<Row>& before) {
  const bool moves = !before || before->passed() != row.passed();
  if (moves) make_room(row.passed());
  upsert_.bind_blob(1, key).bind(2, row.at_ms).bind(3, row.passes).bind(4, row.expires_ms);
  upsert_.bind_blob(5, row.counted_under).run();
  if (!moves && before->counted_under == row.counted_under) return;
  count(row.passed(), row.counted_under, 1);
  if (before) count(before->passed(), before->counted_under, -1);
}

void Greylist::count(bool passed, const std::string& counted_under, std::int64_t change) {
  count_of(passed) += change;
  count_owner(passed, counted_under, change);
}

void Greylist::count_owner(bool passed, const std::string& counted_under, std::int64_t change) {
  count_of_owner_.bind(1, std::int64_t{passed}).bind_blob(2, counted_under).bind(3, change);
  count_of_owner_.run();
  if (change > 0) return;
  forget_owner_.bind(1, std::int64_t{passed}).bind_blob(2, counted_under);
  forget_owner_.run();
}

std::int64_t& Greylist::count_of(bool passed) {
  std::optional<std::int64_t>& count = counts_.at(passed ? 1 : 0);
  if (!count) {
    const Use use(count_);
    count_.bind(1, std::int64_t{passed});
    count_.step();
    count = count_.number(0);
  }
  return *count;
}

void Greylist::make_room(bool passed) {
  // Load the other count before anything is written: afterwards it would include the change.
  count_of(!passed);
  while (count_of(passed) >= max_rows_ / 2 && count_of(passed) > 0) {
    const std::optional<std::string> dropped = drop_one(passed);
    if (!dropped) return;
    count(passed, *dropped, -1);
  }
}

std::optional<std::string> Greylist::drop_one(bool passed) {
  std::optional<std::string> whoever_has_most;
  {
    const Use use(most_);
    most_.bind(1, std::int64_t{passed});
    if (most_.step() && most_.number(1) > ports::kFewVisits) whoever_has_most = most_.text(0);
  }
  Statement& drop = whoever_has_most ? drop_first_of_ : drop_first_;
  const Use use(drop);
  drop.bind(1, std::int64_t{passed});
  if (whoever_has_most) drop.bind_blob(2, *whoever_has_most);
  if (!drop.step()) return std::nullopt;
  std::string counted_under = drop.text(0);
  while (drop.step()) {  // step to the end, or nothing is deleted
  }
  return counted_under;
}

void Greylist::remove_expired(base::WallTime now) {
  for (const bool passed : {false, true}) {
    std::map<std::string, std::int64_t> gone;
    {
      const Use use(delete_expired_);
      delete_expired_.bind(1, std::int64_t{passed}).bind(2, spool::ms_of(now));
      while (delete_expired_.step()) ++gone[delete_expired_.text(0)];
    }
    for (const auto& [counted_under, rows] : gone) {
      if (auto& known = counts_.at(passed ? 1 : 0)) *known -= rows;
      count_owner(passed, counted_under, -rows);
    }
  }
}

}  // namespace relay::spool
