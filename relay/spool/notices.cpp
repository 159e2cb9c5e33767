#include "relay/spool/notices.hpp"

#include <algorithm>

#include "relay/ports/delivery_queue.hpp"
#include "relay/spool/rows.hpp"

namespace relay::spool {

using ports::Notify;

namespace {

constexpr auto kGather = ports::DeliveryQueue::kGather;

}  // namespace

Notices::Notices(Connection& connection, Tally& tally)
    : connection_(connection),
      tally_(tally),
      delay_told_(connection.raw(), "SELECT flags & 16 FROM message WHERE id = ?1"),
      mark_delay_told_(connection.raw(), "UPDATE message SET flags = flags | 16 WHERE id = ?1"),
      insert_(connection.raw(),
              "INSERT INTO notice (id, idx, kind) VALUES (?1,?2,?3) "
              "ON CONFLICT (id, idx) DO UPDATE SET kind = excluded.kind"),
      insert_report_(connection.raw(),
                     "INSERT INTO report (id, due_ms) VALUES (?1,?2) ON CONFLICT DO NOTHING"),
      select_(connection.raw(), "SELECT idx, kind FROM notice WHERE id = ?1 ORDER BY idx"),
      is_owed_(connection.raw(), "SELECT 1 FROM notice WHERE id = ?1 AND idx = ?2 AND kind = ?3"),
      delete_(connection.raw(), "DELETE FROM notice WHERE id = ?1 AND idx = ?2"),
      delete_delays_(connection.raw(), "DELETE FROM notice WHERE id = ?1 AND kind = 2"),
      any_(connection.raw(), "SELECT 1 FROM notice WHERE id = ?1 LIMIT 1"),
      report_known_(connection.raw(), "SELECT 1 FROM report WHERE id = ?1"),
      delete_report_(connection.raw(), "DELETE FROM report WHERE id = ?1"),
      set_due_(connection.raw(), "UPDATE report SET due_ms = ?2 WHERE id = ?1"),
      hasten_(connection.raw(), "UPDATE report SET due_ms = min(due_ms, ?2) WHERE id = ?1"),
      due_(connection.raw(),
           "SELECT id FROM report WHERE due_ms <= ?1 ORDER BY due_ms, id LIMIT ?2"),
      due_too_late_(connection.raw(),
                    "SELECT id FROM report WHERE due_ms > ?1 ORDER BY due_ms, id LIMIT ?2"),
      first_due_(connection.raw(), "SELECT due_ms FROM report ORDER BY due_ms LIMIT 1") {
  static_assert(kDelayTold == 16 && static_cast<int>(Notify::OfDelay) == 2, "as in statements");
}

void Notices::owe(const mail::MessageId& id, std::uint16_t index, Notify kind, base::WallTime now) {
  if (kind == Notify::OfDelay && delay_was_told(id)) return;
  insert_.bind_blob(1, blob_of(id))
      .bind(2, std::int64_t{index})
      .bind(3, static_cast<std::int64_t>(kind));
  insert_.run();
  insert_report_.bind_blob(1, blob_of(id)).bind(2, ms_of(now + kGather));
  insert_report_.run();
  tally_.reports(connection_.changes());
}

bool Notices::delay_was_told(const mail::MessageId& id) {
  const Use use(delay_told_);
  delay_told_.bind_blob(1, blob_of(id));
  return delay_told_.step() && delay_told_.number(0) != 0;
}

void Notices::cancel(const mail::MessageId& id, std::uint16_t index) {
  delete_.bind_blob(1, blob_of(id)).bind(2, std::int64_t{index});
  delete_.run();
  if (connection_.changes() > 0) end_report_without_notices(id, std::nullopt);
}

bool Notices::message_ended(const mail::MessageId& id, base::WallTime now) {
  hasten_.bind_blob(1, blob_of(id)).bind(2, ms_of(now));
  hasten_.run();
  return connection_.changes() > 0;
}

bool Notices::are_owed(const mail::MessageId& id) {
  const Use use(report_known_);
  report_known_.bind_blob(1, blob_of(id));
  return report_known_.step();
}

std::vector<std::pair<std::uint16_t, Notify>> Notices::of(const mail::MessageId& id) {
  std::vector<std::pair<std::uint16_t, Notify>> owed;
  const Use use(select_);
  select_.bind_blob(1, blob_of(id));
  while (select_.step()) {
    const bool delay = select_.number(1) == static_cast<std::int64_t>(Notify::OfDelay);
    owed.emplace_back(static_cast<std::uint16_t>(select_.number(0)),
                      delay ? Notify::OfDelay : Notify::OfFailure);
  }
  return owed;
}

bool Notices::pay(const ports::Report& report, base::WallTime next) {
  if (!are_owed(report.id)) return false;
  const auto is_there = [&](const auto& notice) {
    return is_owed(report.id, notice.first, notice.second);
  };
  if (!std::ranges::all_of(report.notices, is_there)) return false;
  for (const auto& [index, kind] : report.notices) {
    delete_.bind_blob(1, blob_of(report.id)).bind(2, std::int64_t{index});
    delete_.run();
  }
  if (report.tells_sender_of_delay) {
    mark_delay_told_.bind_blob(1, blob_of(report.id));
    mark_delay_told_.run();
    delete_delays_.bind_blob(1, blob_of(report.id));
    delete_delays_.run();
  }
  end_report_without_notices(report.id, next);
  return true;
}

bool Notices::is_owed(const mail::MessageId& id, std::uint16_t index, Notify kind) {
  const Use use(is_owed_);
  is_owed_.bind_blob(1, blob_of(id))
      .bind(2, std::int64_t{index})
      .bind(3, static_cast<std::int64_t>(kind));
  return is_owed_.step();
}

/// Notices are left: sets the due time to `next`, if given.
void Notices::end_report_without_notices(const mail::MessageId& id,
                                         std::optional<base::WallTime> next) {
  {
    const Use use(any_);
    any_.bind_blob(1, blob_of(id));
    if (any_.step()) {
      if (next) put_off(id, *next);
      return;
    }
  }
  delete_report_.bind_blob(1, blob_of(id));
  delete_report_.run();
  tally_.reports(-connection_.changes());
}

void Notices::put_off(const mail::MessageId& id, base::WallTime at) {
  set_due_.bind_blob(1, blob_of(id)).bind(2, ms_of(at));
  set_due_.run();
}

std::vector<mail::MessageId> Notices::due(base::WallTime now, std::size_t limit) {
  std::vector<mail::MessageId> ids;
  collect(ids, due_, ms_of(now), limit);
  collect(ids, due_too_late_, ms_of(now + kGather), limit);
  return ids;
}

void Notices::collect(std::vector<mail::MessageId>& ids, Statement& statement, std::int64_t bound,
                      std::size_t limit) {
  if (ids.size() >= limit) return;
  const Use use(statement);
  statement.bind(1, bound).bind(2, static_cast<std::int64_t>(limit - ids.size()));
  while (statement.step()) ids.push_back(id_of(statement.view(0)));
}

std::optional<base::WallTime> Notices::next_due(base::WallTime now) {
  const Use use(first_due_);
  if (!first_due_.step()) return std::nullopt;
  const base::WallTime first = time_of(first_due_.number(0));
  return first > now + kGather ? now : std::max(first, now);
}

}  // namespace relay::spool
