#include "relay/spool/tables.hpp"

namespace relay::spool {

Tables::Tables(Connection& connection, ContentFile& file, Transactions& transactions,
               const ports::Clock& the_clock, const TableLimits& limits)
    : clock(the_clock),
      tally(connection),
      contents(connection, file),
      messages(connection, contents, tally),
      reader(connection, contents),
      tokens(connection, tally, limits.tokens),
      awaiting(connection, tally),
      notices(connection, tally),
      resends(connection),
      acceptance(contents, messages, tokens, awaiting, notices, resends),
      fallbacks(connection, messages, notices, tally),
      reports(connection, reader, messages, notices, tally),
      outcomes(connection, messages, notices, fallbacks, tally),
      due(connection),
      walk(connection, the_clock),
      changes(connection, the_clock, walk, reader, messages, notices, fallbacks, tally),
      pauses(connection),
      greylist(connection, limits.greylist_rows) {
  transactions.add(file);
  transactions.add(tally);
  transactions.add(messages);
  transactions.add(changes);
  transactions.add(greylist);
}

void Tables::remove_expired() {
  const base::WallTime now = clock.wall();
  tokens.remove_expired(now);
  greylist.remove_expired(now);
  pauses.remove_expired(now);
}

}  // namespace relay::spool
