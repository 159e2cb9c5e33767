#include "relay/spool/greylist.hpp"

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
      select_(connection.raw(), "SELECT at_ms, passes, expires_ms FROM greylist WHERE key = ?1"),
      upsert_(connection.raw(),
              "INSERT INTO greylist VALUES (?1,?2,?3,?4) ON CONFLICT (key) DO UPDATE SET "
              "at_ms = ?2, passes = ?3, expires_ms = ?4"),
      count_(connection.raw(), "SELECT count(*) FROM greylist WHERE (passes > 0) = ?1"),
      drop_first_(connection.raw(),
                  "DELETE FROM greylist WHERE key = (SELECT key FROM greylist WHERE "
                  "(passes > 0) = ?1 ORDER BY expires_ms LIMIT 1)"),
      delete_expired_(connection.raw(),
                      "DELETE FROM greylist WHERE key IN (SELECT key FROM greylist WHERE "
                      "(passes > 0) = ?1 AND expires_ms <= ?2 ORDER BY expires_ms LIMIT 1000)") {}

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
  // A first visit that is still to come was noted by a clock that was wrong.
  if (!lives(sender) || sender->at_ms > now_ms) {
    put(key.sender, {now_ms, 0, now_ms + ms_of(rules.retry_window)}, sender);
    return GreylistAnswer::First;
  }
  if (sender->passed()) {
    keep_longer(key.sender, *sender, rules, now_ms);
    return GreylistAnswer::Known;
  }
  if (now_ms - sender->at_ms < ms_of(rules.delay)) return GreylistAnswer::TooSoon;
  put(key.sender, {sender->at_ms, 1, now_ms + ms_of(rules.remember)}, sender);
  count_pass(key.network, rules, now_ms);
  return GreylistAnswer::Passed;
}

/// One message to many recipients passes many times at once: that is one time.
void Greylist::count_pass(const std::string& network, const ports::GreylistRules& rules,
                          std::int64_t now_ms) {
  const std::optional<Row> before = find(network);
  const bool lives = before && before->expires_ms > now_ms && before->at_ms <= now_ms;
  if (lives && now_ms - before->at_ms < ms_of(rules.delay)) return;
  const std::int64_t passes = lives ? before->passes + 1 : 1;
  put(network, {now_ms, passes, now_ms + ms_of(rules.remember)}, before);
}

/// Not at every visit: a busy sender would write as much as it is read.
void Greylist::keep_longer(const std::string& key, const Row& row,
                           const ports::GreylistRules& rules, std::int64_t now_ms) {
  const std::int64_t remember = ms_of(rules.remember);
  if (now_ms + remember - row.expires_ms <= remember / 16) return;
  put(key, {row.at_ms, row.passes, now_ms + remember}, row);
}

std::optional<Greylist::Row> Greylist::find(const std::string& key) {
  const Use use(select_);
  select_.bind_blob(1, key);
  if (!select_.step()) return std::nullopt;
  return Row{select_.number(0), select_.number(1), select_.number(2)};
}

void Greylist::put(const std::string& key, const Row& row, const std::optional<Row>& before) {
  const bool moves = !before || before->passed() != row.passed();
  if (moves) make_room(row.passed());
  upsert_.bind_blob(1, key).bind(2, row.at_ms).bind(3, row.passes).bind(4, row.expires_ms);
  upsert_.run();
  if (!moves) return;
  ++count_of(row.passed());
  if (before) --count_of(before->passed());
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
  // Counted before anything is written: a count made afterwards would hold it already.
  count_of(!passed);
  while (count_of(passed) >= max_rows_ / 2 && count_of(passed) > 0) {
    drop_first_.bind(1, std::int64_t{passed});
    drop_first_.run();
    if (connection_.changes() == 0) return;
    --count_of(passed);
  }
}

void Greylist::remove_expired(base::WallTime now) {
  for (const bool passed : {false, true}) {
    delete_expired_.bind(1, std::int64_t{passed}).bind(2, spool::ms_of(now));
    delete_expired_.run();
    if (auto& count = counts_.at(passed ? 1 : 0)) *count -= connection_.changes();
  }
}

}  // namespace relay::spool
