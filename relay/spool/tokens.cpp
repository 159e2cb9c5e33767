#include "relay/spool/tokens.hpp"

#include <map>

#include "relay/spool/rows.hpp"

namespace relay::spool {

// token_count holds the number of rows of `token` for each quota: counting a hundred thousand rows
// would block the writer.
Tokens::Tokens(Connection& connection, Tally& tally, std::int64_t most)
    : connection_(connection),
      tally_(tally),
      most_(most),
      known_(connection.raw(), "SELECT 1 FROM token WHERE token = ?1"),
      count_(connection.raw(), "SELECT tokens FROM token_count WHERE counted_under = ?1"),
      insert_(connection.raw(), "INSERT INTO token VALUES (?1,?2,?3,?4,?5) ON CONFLICT DO NOTHING"),
      count_one_(connection.raw(),
                 "INSERT INTO token_count VALUES (?1, 1) "
                 "ON CONFLICT DO UPDATE SET tokens = tokens + 1"),
      prolong_(connection.raw(),
               "UPDATE token SET expires_ms = ?2 WHERE token = ?1 AND expires_ms < ?2"),
      select_(connection.raw(), "SELECT reverse_path, expires_ms FROM token WHERE token = ?1"),
      count_down_(connection.raw(),
                  "UPDATE token_count SET tokens = tokens - ?2 WHERE counted_under = ?1"),
      forget_counts_(connection.raw(),
                     "DELETE FROM token_count WHERE counted_under = ?1 AND tokens <= 0"),
      delete_expired_(connection.raw(),
                      "DELETE FROM token WHERE token IN (SELECT token FROM token "
                      "WHERE expires_ms < ?1 ORDER BY expires_ms LIMIT 1000) "
                      "RETURNING counted_under, counted_wider") {}

bool Tokens::has_room(const mail::SenderToken& token) {
  {
    const Use use(known_);
    known_.bind(1, token.token);
    if (known_.step()) return true;
  }
  if (tally_.now().tokens >= most_ || count_of(token.counted_under) >= token.most) return false;
  return token.counted_wider.empty() || count_of(token.counted_wider) < 2 * token.most;
}

std::int64_t Tokens::count_of(const std::string& counted_under) {
  const Use use(count_);
  count_.bind(1, counted_under);
  return count_.step() ? count_.number(0) : 0;
}

void Tokens::insert(const mail::SenderToken& token, base::WallTime now) {
  const std::string sender = token.reverse_path.to_string();
  const std::int64_t expires = ms_of(now + token.lives_for);
  insert_.bind(1, token.token)
      .bind(2, sender)
      .bind(3, expires)
      .bind(4, token.counted_under)
      .bind(5, token.counted_wider);
  insert_.run();
  if (connection_.changes() > 0) {
    count_one(token.counted_under);
    if (!token.counted_wider.empty()) count_one(token.counted_wider);
    return tally_.tokens(1);
  }
  prolong_.bind(1, token.token).bind(2, expires);
  prolong_.run();
}

void Tokens::count_one(const std::string& counted_under) {
  count_one_.bind(1, counted_under);
  count_one_.run();
}

std::optional<mail::ReversePath> Tokens::find(const std::string& token, base::WallTime now) {
  const Use use(select_);
  select_.bind(1, token);
  if (!select_.step() || select_.number(1) < ms_of(now)) return std::nullopt;
  return path_from(select_.text(0));
}

void Tokens::remove_expired(base::WallTime now) {
  std::map<std::string, std::int64_t> gone;
  {
    const Use use(delete_expired_);
    delete_expired_.bind(1, ms_of(now));
    while (delete_expired_.step()) {
      tally_.tokens(-1);
      ++gone[delete_expired_.text(0)];
      const std::string wider = delete_expired_.text(1);
      if (!wider.empty()) ++gone[wider];
    }
  }
  for (const auto& [counted_under, tokens] : gone) {
    count_down_.bind(1, counted_under).bind(2, tokens);
    count_down_.run();
    forget_counts_.bind(1, counted_under);
    forget_counts_.run();
  }
}

}  // namespace relay::spool
