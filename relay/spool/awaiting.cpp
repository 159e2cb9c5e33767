#include "relay/spool/awaiting.hpp"

#include <algorithm>

#include "relay/spool/rows.hpp"

namespace relay::spool {

Awaiting::Awaiting(Connection& connection, Tally& tally)
    : connection_(connection),
      tally_(tally),
      count_(connection.raw(), "SELECT count(*) FROM recipient WHERE awaits = ?1 AND awaits <> ''"),
      list_(connection.raw(),
            "SELECT awaits, id, idx, target FROM recipient WHERE awaits <> '' AND "
            "(awaits, id, idx) > (?1, ?2, ?3) ORDER BY awaits, id, idx LIMIT ?4"),
      release_(connection.raw(),
               "UPDATE recipient SET state = 0, awaits = '', released_ms = ?3, next_due_ms = ?3 "
               "WHERE id = ?1 AND idx = ?2 AND awaits <> '' AND state = 1") {}

std::uint64_t Awaiting::most(const std::vector<std::string>& addresses) {
  std::int64_t most = 0;
  for (const std::string& address : addresses) {
    const Use use(count_);
    count_.bind(1, address);
    if (count_.step()) most = std::max(most, count_.number(0));
  }
  return static_cast<std::uint64_t>(most);
}

bool Awaiting::fits(const ports::NewMessage& message) {
  return std::ranges::none_of(message.routes, [&](const mail::Route& route) {
    return !route.awaits.empty() && most({route.awaits}) >= message.max_awaiting;
  });
}

std::vector<ports::AwaitingCopy> Awaiting::list(const std::optional<ports::AwaitingCopy>& after,
                                                std::size_t limit) {
  const ports::AwaitingCopy from = after.value_or(ports::AwaitingCopy());
  const Use use(list_);
  list_.bind(1, from.awaits)
      .bind_blob(2, blob_of(from.copy.message))
      .bind(3, std::int64_t{from.copy.index})
      .bind(4, static_cast<std::int64_t>(limit));
  std::vector<ports::AwaitingCopy> copies;
  while (list_.step()) {
    copies.push_back({.awaits = list_.text(0),
                      .copy = {id_of(list_.view(1)), static_cast<std::uint16_t>(list_.number(2))},
                      .target = list_.text(3)});
  }
  return copies;
}

std::uint64_t Awaiting::release(const std::vector<ports::AwaitingCopy>& copies,
                                base::WallTime now) {
  std::int64_t released = 0;
  for (const ports::AwaitingCopy& copy : copies) {
    release_.bind_blob(1, blob_of(copy.copy.message))
        .bind(2, std::int64_t{copy.copy.index})
        .bind(3, ms_of(now));
    release_.run();
    released += connection_.changes();
  }
  tally_.copies_out(mail::RecipientState::Held, released);
  tally_.copies_in(mail::RecipientState::Waiting, released);
  return static_cast<std::uint64_t>(released);
}

}  // namespace relay::spool
