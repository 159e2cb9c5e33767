#include "relay/spool/resends.hpp"

#include "relay/ports/intake_queue.hpp"
#include "relay/spool/rows.hpp"

namespace relay::spool {

namespace {

// The oldest rows are on a page of their own, which should not be written with every commit.
constexpr std::int64_t kRemovedAtOnce = 256;

}  // namespace

Resends::Resends(Connection& connection)
    : connection_(connection),
      insert_(connection.raw(), "INSERT INTO resend (id, key, at_ms) VALUES (?1,?2,?3)"),
      remove_(connection.raw(), "DELETE FROM resend WHERE number <= ?1"),
      select_(connection.raw(),
              "SELECT id, key, at_ms FROM resend WHERE number > 0 ORDER BY number DESC LIMIT ?1") {}

void Resends::keep(const mail::MessageId& id, const std::string& key, base::WallTime now) {
  insert_.bind_blob(1, blob_of(id)).bind_blob(2, key).bind(3, ms_of(now));
  insert_.run();
  const std::int64_t number = sqlite3_last_insert_rowid(connection_.raw());
  if (number % kRemovedAtOnce != 0) return;
  remove_.bind(1, number - static_cast<std::int64_t>(ports::kMostRemembered));
  remove_.run();
}

std::vector<Resends::Kept> Resends::since(base::WallTime since, std::size_t limit) {
  std::vector<Kept> found;
  const Use use(select_);
  select_.bind(1, static_cast<std::int64_t>(limit));
  while (select_.step()) {
    if (time_of(select_.number(2)) < since) continue;
    found.push_back({.id = id_of(select_.view(0)), .key = select_.text(1)});
  }
  return found;
}

}  // namespace relay::spool
