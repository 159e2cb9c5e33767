#include "relay/spool/pause_rules.hpp"

#include <algorithm>

#include "relay/spool/rows.hpp"

namespace relay::spool {

using ports::PauseRule;

PauseRules::PauseRules(Connection& connection)
    : connection_(connection),
      set_(connection.raw(),
           "INSERT INTO pause_rule (kind, value, reason, since_ms, until_ms) VALUES "
           "(?1,?2,?3,?4,?5) ON CONFLICT (kind, value) DO UPDATE SET reason = excluded.reason, "
           "since_ms = excluded.since_ms, until_ms = excluded.until_ms"),
      remove_(connection.raw(), "DELETE FROM pause_rule WHERE kind = ?1 AND value = ?2"),
      select_(connection.raw(),
              "SELECT kind, value, reason, since_ms, until_ms FROM pause_rule "
              "WHERE until_ms IS NULL OR until_ms > ?1 ORDER BY kind, value"),
      remove_expired_(connection.raw(), "DELETE FROM pause_rule WHERE until_ms <= ?1") {}

void PauseRules::set(const PauseRule& rule) {
  set_.bind(1, static_cast<std::int64_t>(rule.kind))
      .bind(2, rule.value)
      .bind(3, rule.reason)
      .bind(4, ms_of(rule.since));
  if (rule.until) {
    set_.bind(5, ms_of(*rule.until));
  } else {
    set_.bind_null(5);
  }
  set_.run();
}

bool PauseRules::remove(PauseRule::Kind kind, const std::string& value) {
  remove_.bind(1, static_cast<std::int64_t>(kind)).bind(2, value);
  remove_.run();
  return connection_.changes() > 0;
}

std::vector<PauseRule> PauseRules::in_force(base::WallTime now) {
  const Use use(select_);
  select_.bind(1, ms_of(now));
  std::vector<PauseRule> rules;
  while (select_.step()) {
    constexpr std::int64_t kLast = static_cast<std::int64_t>(PauseRule::Kind::Alias);
    rules.push_back(
        {.kind =
             static_cast<PauseRule::Kind>(std::clamp<std::int64_t>(select_.number(0), 0, kLast)),
         .value = select_.text(1),
         .reason = select_.text(2),
         .since = time_of(select_.number(3)),
         .until = select_.is_null(4) ? std::nullopt : std::optional(time_of(select_.number(4)))});
  }
  return rules;
}

void PauseRules::remove_expired(base::WallTime now) {
  remove_expired_.bind(1, ms_of(now));
  remove_expired_.run();
}

}  // namespace relay::spool
