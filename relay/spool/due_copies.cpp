#include "relay/spool/due_copies.hpp"

#include "relay/spool/rows.hpp"

namespace relay::spool {

namespace {

ports::DueCopy due_copy_from(const Statement& row) {
  return {.copy = {id_of(row.view(0)), static_cast<std::uint16_t>(row.number(1))},
          .lane = {.domain = row.text(3), .risk_pool = (row.number(4) & kRiskPool) != 0},
          .alias = row.text(5),
          .next_due = time_of(row.number(2))};
}

// Held copies passed over in one page. take_away() moves them together, and each makes some three
// pages of indexes dirty.
constexpr std::size_t kMostHeld = 100;

/// `rows` must yield up to kMostHeld rows more than the page takes.
DueCopies::Listed listed_from(Statement& rows, std::size_t limit) {
  DueCopies::Listed listed;
  while (rows.step()) {
    ports::DueCopy copy = due_copy_from(rows);
    const ports::DueCursor here{copy.next_due, copy.copy};
    if ((rows.number(6) & kHeldInPlace) != 0) {
      listed.held.push_back(copy.copy);
    } else {
      listed.page.copies.push_back(std::move(copy));
    }
    if (listed.page.copies.size() < limit && listed.held.size() < kMostHeld) continue;
    listed.page.next = here;
    break;
  }
  return listed;
}

/// Binds the cursor at three positions; the listing begins after it.
void bind_cursor(Statement& statement, int first, const ports::DueCursor& after) {
  statement.bind(first, ms_of(after.next_due))
      .bind_blob(first + 1, blob_of(after.copy.message))
      .bind(first + 2, std::int64_t{after.copy.index});
}

constexpr ports::DueCursor kBeginning{.next_due = base::WallTime::min(), .copy = {}};

}  // namespace

DueCopies::DueCopies(Connection& connection)
    : connection_(connection),
      due_(connection.raw(),
           "SELECT id, idx, next_due_ms, destination, handling, original, flags FROM recipient "
           "WHERE "
           "state = 0 AND next_due_ms <= ?1 AND (next_due_ms, id, idx) > (?3, ?4, ?5) "
           "ORDER BY next_due_ms, id, idx LIMIT ?2"),
      due_in_lane_(connection.raw(),
                   "SELECT id, idx, next_due_ms, destination, handling, original, flags FROM "
                   "recipient WHERE "
                   "state = 0 AND destination = ?6 AND handling & 2 = ?7 AND next_due_ms <= ?1 AND "
                   "(next_due_ms, id, idx) > (?3, ?4, ?5) ORDER BY next_due_ms, id, idx LIMIT ?2"),
      first_lane_(connection.raw(),
                  "SELECT destination, handling & 2, next_due_ms FROM recipient WHERE state = 0 "
                  "AND destination >= ?1 ORDER BY destination, handling & 2, next_due_ms LIMIT 1"),
      risk_lane_(connection.raw(),
                 "SELECT destination, handling & 2, next_due_ms FROM recipient WHERE state = 0 AND "
                 "destination = ?1 AND handling & 2 = 2 ORDER BY next_due_ms LIMIT 1"),
      next_due_(connection.raw(),
                "SELECT next_due_ms FROM recipient WHERE state = 0 AND next_due_ms > ?1 "
                "ORDER BY next_due_ms LIMIT 1"),
      hasten_(connection.raw(),
              "UPDATE recipient SET next_due_ms = ?2 WHERE (id, idx) IN (SELECT id, idx FROM "
              "recipient WHERE state = 0 AND next_due_ms > ?1 ORDER BY next_due_ms LIMIT ?3)"),
      take_away_(connection.raw(),
                 "UPDATE recipient SET state = 1, flags = flags & ~4 WHERE id = ?1 AND idx = ?2 "
                 "AND state = 0 AND flags & 4 = 4") {
  static_assert(kRiskPool == 2 && kHeldInPlace == 4, "as in the statements and their index");
}

DueCopies::Listed DueCopies::due(const std::optional<ports::DueCursor>& after, std::size_t limit,
                                 base::WallTime now) {
  const Use use(due_);
  due_.bind(1, ms_of(now)).bind(2, static_cast<std::int64_t>(limit + kMostHeld));
  const ports::DueCursor from = after.value_or(kBeginning);
  bind_cursor(due_, 3, from);
  return listed_from(due_, limit);
}

DueCopies::Listed DueCopies::due_in_lane(const ports::LaneKey& lane,
                                         const std::optional<ports::DueCursor>& after,
                                         std::size_t limit, base::WallTime now) {
  const Use use(due_in_lane_);
  due_in_lane_.bind(1, ms_of(now)).bind(2, static_cast<std::int64_t>(limit + kMostHeld));
  const ports::DueCursor from = after.value_or(kBeginning);
  bind_cursor(due_in_lane_, 3, from);
  due_in_lane_.bind(6, lane.domain).bind(7, lane.risk_pool ? kRiskPool : std::int64_t{0});
  return listed_from(due_in_lane_, limit);
}

void DueCopies::take_away(const std::vector<mail::CopyId>& held) {
  for (const mail::CopyId& copy : held) {
    take_away_.bind_blob(1, blob_of(copy.message)).bind(2, std::int64_t{copy.index});
    take_away_.run();
  }
}

std::vector<ports::WaitingLane> DueCopies::waiting_lanes(const std::optional<ports::LaneKey>& after,
                                                         std::size_t limit, base::WallTime now) {
  std::vector<ports::WaitingLane> lanes;
  std::optional<ports::LaneKey> last = after;
  while (lanes.size() < limit) {
    std::optional<ports::WaitingLane> next;
    if (last && !last->risk_pool) next = risk_lane(last->domain, now);
    // The smallest string greater than a name is that name followed by NUL.
    if (!next) next = first_lane(last ? last->domain + '\0' : std::string(), now);
    // A damaged column that holds no text sorts differently: stop instead of looping.
    if (!next || (last && !(*last < next->key))) break;
    last = next->key;
    lanes.push_back(std::move(*next));
  }
  return lanes;
}

std::optional<ports::WaitingLane> DueCopies::first_lane(const std::string& domain,
                                                        base::WallTime now) {
  const Use use(first_lane_);
  first_lane_.bind(1, domain);
  if (!first_lane_.step()) return std::nullopt;
  return ports::WaitingLane{
      .key = {.domain = first_lane_.text(0), .risk_pool = first_lane_.number(1) != 0},
      .due_in = time_of(first_lane_.number(2)) - now};
}

std::optional<ports::WaitingLane> DueCopies::risk_lane(const std::string& domain,
                                                       base::WallTime now) {
  const Use use(risk_lane_);
  risk_lane_.bind(1, domain);
  if (!risk_lane_.step()) return std::nullopt;
  return ports::WaitingLane{.key = {.domain = domain, .risk_pool = true},
                            .due_in = time_of(risk_lane_.number(2)) - now};
}

std::optional<base::WallTime> DueCopies::next_due(base::WallTime now) {
  const Use use(next_due_);
  next_due_.bind(1, ms_of(now));
  if (!next_due_.step()) return std::nullopt;
  return time_of(next_due_.number(0));
}

std::size_t DueCopies::hasten(base::WallTime latest, base::WallTime now, std::size_t limit) {
  hasten_.bind(1, ms_of(latest)).bind(2, ms_of(now)).bind(3, static_cast<std::int64_t>(limit));
  hasten_.run();
  return static_cast<std::size_t>(connection_.changes());
}

}  // namespace relay::spool
