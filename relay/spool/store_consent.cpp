// Copies that wait for the consent of their targets. All that is asked goes through the index
// that holds them alone.
#include <algorithm>

#include "relay/spool/rows.hpp"
#include "relay/spool/store.hpp"

namespace relay::spool {

std::uint64_t Store::awaiting(const std::vector<std::string>& addresses) {
  std::int64_t most = 0;
  for (const std::string& address : addresses) {
    const Use use(count_awaiting_);
    count_awaiting_.bind(1, address);
    if (count_awaiting_.step()) most = std::max(most, count_awaiting_.number(0));
  }
  return static_cast<std::uint64_t>(most);
}

bool Store::awaiting_fits(const ports::NewMessage& message) {
  return std::ranges::none_of(message.routes, [&](const mail::Route& route) {
    return !route.awaits.empty() && awaiting({route.awaits}) >= message.max_awaiting;
  });
}

std::vector<ports::AwaitingCopy> Store::awaiting_copies(
    const std::optional<ports::AwaitingCopy>& after, std::size_t limit) {
  Statement rows(connection_.raw(),
                 "SELECT awaits, id, idx, target FROM recipient WHERE awaits <> '' AND "
                 "(awaits, id, idx) > (?1, ?2, ?3) ORDER BY awaits, id, idx LIMIT ?4");
  const std::string address = after ? after->awaits : std::string();
  const mail::MessageId id = after ? after->id : mail::MessageId();
  rows.bind(1, address)
      .bind_blob(2, blob_of(id))
      .bind(3, std::int64_t{after ? after->index : 0})
      .bind(4, static_cast<std::int64_t>(limit));
  std::vector<ports::AwaitingCopy> copies;
  while (rows.step()) {
    auto target = mail::Mailbox::parse(rows.text(3));
    if (!target) throw DatabaseError(SQLITE_CORRUPT, "stored target is damaged");
    copies.push_back({.awaits = rows.text(0),
                      .id = id_of(rows.text(1)),
                      .index = static_cast<std::uint16_t>(rows.number(2)),
                      .target = std::move(*target)});
  }
  return copies;
}

std::uint64_t Store::release(const std::vector<ports::AwaitingCopy>& copies, base::WallTime now) {
  Statement set(connection_.raw(),
                "UPDATE recipient SET state = 0, awaits = '', released_ms = max(0, ?3), "
                "next_due_ms = max(0, ?3) WHERE id = ?1 AND idx = ?2 AND awaits <> ''");
  std::uint64_t released = 0;
  for (const ports::AwaitingCopy& copy : copies) {
    set.bind_blob(1, blob_of(copy.id)).bind(2, std::int64_t{copy.index}).bind(3, ms_of(now));
    set.run();
    released += static_cast<std::uint64_t>(connection_.changes());
  }
  return released;
}

}  // namespace relay::spool
