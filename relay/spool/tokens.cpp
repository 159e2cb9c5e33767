#include "relay/spool/tokens.hpp"

#include <map>

#include "relay/spool/rows.hpp"

namespace relay::spool {

Tokens::Tokens(Connection& connection, Tally& tally, TokenLimits limits)
    : connection_(connection),
      tally_(tally),
      limits_(limits),
      known_(connection.raw(), "SELECT 1 FROM token WHERE token = ?1"),
      count_of_client_(connection.raw(), "SELECT count(*) FROM token WHERE client = ?1"),
      insert_(connection.raw(), "INSERT INTO token VALUES (?1,?2,?3,?4) ON CONFLICT DO NOTHING"),
      prolong_(connection.raw(),
               "UPDATE token SET expires_ms = ?2 WHERE token = ?1 AND expires_ms < ?2"),
      select_(connection.raw(), "SELECT reverse_path, expires_ms FROM token WHERE token = ?1"),
      delete_expired_(connection.raw(),
                      "DELETE FROM token WHERE token IN (SELECT token FROM token "
                      "WHERE expires_ms < ?1 ORDER BY expires_ms LIMIT 1000)") {}

bool Tokens::fit(const std::vector<mail::SenderToken>& tokens) {
  std::map<std::string_view, std::int64_t> more;
  for (const mail::SenderToken& token : tokens) {
    const Use use(known_);
    known_.bind(1, token.token);
    if (!known_.step()) ++more[token.client];
  }
  std::int64_t all = tally_.now().tokens;
  for (const auto& [client, count] : more) {
    const Use use(count_of_client_);
    count_of_client_.bind(1, client);
    const std::int64_t before = count_of_client_.step() ? count_of_client_.number(0) : 0;
    all += count;
    if (before + count > limits_.per_client || all > limits_.total) return false;
  }
  return true;
}

void Tokens::insert(const mail::SenderToken& token) {
  const std::string sender = token.reverse_path.to_string();
  insert_.bind(1, token.token)
      .bind(2, sender)
      .bind(3, ms_of(token.expires_at))
      .bind(4, token.client);
  insert_.run();
  if (connection_.changes() > 0) return tally_.tokens(1);
  prolong_.bind(1, token.token).bind(2, ms_of(token.expires_at));
  prolong_.run();
}

std::optional<mail::ReversePath> Tokens::find(const std::string& token, base::WallTime now) {
  const Use use(select_);
  select_.bind(1, token);
  if (!select_.step() || select_.number(1) < ms_of(now)) return std::nullopt;
  return path_from(select_.text(0));
}

void Tokens::remove_expired(base::WallTime now) {
  delete_expired_.bind(1, ms_of(now));
  delete_expired_.run();
  tally_.tokens(-connection_.changes());
}

}  // namespace relay::spool
