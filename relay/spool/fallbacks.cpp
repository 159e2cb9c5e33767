#include "relay/spool/fallbacks.hpp"

#include <algorithm>

#include "relay/spool/rows.hpp"

namespace relay::spool {

using mail::RecipientState;

namespace {

constexpr auto kDelivered = static_cast<std::int64_t>(RecipientState::Delivered);
constexpr auto kStandsBy = static_cast<std::int64_t>(RecipientState::StandsBy);

Statement& bind_key(Statement& statement, const mail::MessageId& id, std::uint16_t index) {
  return statement.bind_blob(1, blob_of(id)).bind(2, std::int64_t{index});
}

}  // namespace

Fallbacks::Fallbacks(Connection& connection, Messages& messages, Notices& notices, Tally& tally)
    : messages_(messages),
      notices_(notices),
      tally_(tally),
      stands_by_(connection.raw(),
                 "SELECT 1 FROM recipient WHERE id = ?1 AND fallback_group = ?2 AND state = 4 "
                 "LIMIT 1"),
      group_of_(connection.raw(),
                "SELECT fallback_group FROM recipient WHERE id = ?1 AND idx = ?2"),
      select_(connection.raw(),
              "SELECT idx, state, flags, target, original FROM recipient WHERE id = ?1 AND "
              "fallback_group = ?2 ORDER BY idx"),
      replace_(connection.raw(),
               "UPDATE recipient SET state = 3, ended = 7 WHERE id = ?1 AND idx = ?2"),
      use_(connection.raw(),
           "UPDATE recipient SET state = 0, next_due_ms = ?3, released_ms = ?3 WHERE id = ?1 AND "
           "idx = ?2"),
      told_(connection.raw(), "UPDATE recipient SET flags = flags & ~8 WHERE id = ?1 AND idx = ?2"),
      delete_(connection.raw(),
              "DELETE FROM recipient WHERE id = ?1 AND fallback_group = ?2 AND state = 4") {
  static_assert(kStandsBy == 4 && static_cast<int>(mail::End::Replaced) == 7 && kUntold == 8,
                "as in the statements");
}

bool Fallbacks::stands_by(const mail::MessageId& id, std::int64_t group) {
  if (group == 0) return false;
  const Use use(stands_by_);
  stands_by_.bind_blob(1, blob_of(id)).bind(2, group);
  return stands_by_.step();
}

std::int64_t Fallbacks::group_of(const mail::CopyId& copy) {
  const Use use(group_of_);
  bind_key(group_of_, copy.message, copy.index);
  return group_of_.step() ? group_of_.number(0) : 0;
}

std::vector<Fallbacks::Row> Fallbacks::rows_of(const mail::MessageId& id, std::int64_t group) {
  std::vector<Row> rows;
  const Use use(select_);
  select_.bind_blob(1, blob_of(id)).bind(2, group);
  while (select_.step()) {
    rows.push_back({.index = static_cast<std::uint16_t>(select_.number(0)),
                    .state = select_.number(1),
                    .flags = select_.number(2),
                    .target = select_.text(3),
                    .alias = select_.text(4)});
  }
  return rows;
}

Fallbacks::Decision Fallbacks::decide(const mail::MessageId& id, std::int64_t group, Events events,
                                      base::WallTime now) {
  Decision decision;
  const std::vector<Row> rows = rows_of(id, group);
  const bool delivered = std::ranges::find(rows, kDelivered, &Row::state) != rows.end();
  const bool is_open = std::ranges::any_of(
      rows, [](const Row& row) { return !mail::is_final(state_of(row.state, row.flags)); });
  if (!delivered && (is_open ? events.lateness : events.failure)) {
    decision.taken_over = take_over(id, rows, now);
    decision.taken_over->was_late = is_open;
  } else if (delivered || !is_open) {
    stand_down(id, group, rows, now);
    decision.is_over = true;
  }
  return decision;
}

ports::TakeOver Fallbacks::take_over(const mail::MessageId& id, const std::vector<Row>& rows,
                                     base::WallTime now) {
  ports::TakeOver taken;
  for (const Row& row : rows) {
    if (row.state == kStandsBy) {
      // The copy gets all the time for delivery, from here on.
      bind_key(use_, id, row.index).bind(3, ms_of(now));
      use_.run();
      tally_.copies_in(RecipientState::Waiting);
      taken.targets.push_back(row.target);
      taken.alias = row.alias;
    } else if (state_of(row.state, row.flags) == RecipientState::Waiting) {
      bind_key(replace_, id, row.index);
      replace_.run();
      tally_.copies_out(RecipientState::Waiting);
      taken.replaced.push_back(row.index);
    }
    if ((row.flags & kUntold) != 0) {  // the fallback takes over: no notice of this failure
      bind_key(told_, id, row.index);
      told_.run();
    }
  }
  messages_.opened_again(id);
  return taken;
}

/// The fallback is not needed or cannot help: notices are due for failures not told so far.
void Fallbacks::stand_down(const mail::MessageId& id, std::int64_t group,
                           const std::vector<Row>& rows, base::WallTime now) {
  for (const Row& row : rows) {
    if ((row.flags & kUntold) == 0) continue;
    bind_key(told_, id, row.index);
    told_.run();
    notices_.owe(id, row.index, ports::Notify::OfFailure, now);
  }
  delete_.bind_blob(1, blob_of(id)).bind(2, group);
  delete_.run();
}

}  // namespace relay::spool
