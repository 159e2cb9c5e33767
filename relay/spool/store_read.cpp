#include <fmt/format.h>

#include "relay/base/sha256.hpp"
#include "relay/spool/rows.hpp"
#include "relay/spool/store.hpp"

namespace relay::spool {

namespace {

constexpr const char* kAttemptColumns =
    "at_ms, host, address, port, tls, stage, code, status, reply";

std::string select_message() {
  return fmt::format("SELECT {} FROM message m WHERE m.id = ?1", kMessageColumns);
}

std::string select_recipients() {
  return fmt::format("SELECT {} FROM recipient r WHERE r.id = ?1 ORDER BY r.idx",
                     kRecipientColumns);
}

/// "" matches everything; a filter is a short list of words, so a scan in due order will do.
std::string select_list() {
  return fmt::format(
      "SELECT {}, {} FROM recipient r JOIN message m ON m.id = r.id "
      "WHERE (r.next_due_ms, r.id, r.idx) > (?1, ?2, ?3) AND r.state IN (0, 1) "
      "AND (?4 = -1 OR r.state = ?4) AND (?5 IS NULL OR r.id = ?5) "
      "AND (?6 = '' OR instr(lower(r.target), ?6) > 0 OR instr(lower(r.original), ?6) > 0) "
      "AND (?7 = '' OR instr(lower(m.reverse_path), ?7) > 0) "
      "ORDER BY r.next_due_ms, r.id, r.idx",
      kListedColumns, kRecipientColumns);
}

}  // namespace

Store::Store(Connection& connection, ContentFile& content, TokenLimits limits)
    : connection_(connection),
      content_(content),
      limits_(limits),
      greylist_(connection),
      insert_message_(connection.raw(),
                      "INSERT INTO message VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,"
                      "?15)"),
      insert_chunk_(connection.raw(),
                    "INSERT INTO chunk (id, sequence, digest, octets) VALUES (?1,?2,?3,?4)"),
      insert_recipient_(connection.raw(),
                        "INSERT INTO recipient VALUES "
                        "(?1,?2,?3,?4,?5,?6,?8,0,?7,0,0,'','',0,'',0,0,'','',?9,?10,0,?11)"),
      insert_token_(connection.raw(),
                    "INSERT INTO token VALUES (?1,?2,?3,?4) ON CONFLICT (token) DO UPDATE SET "
                    "expires_ms = max(expires_ms, excluded.expires_ms)"),
      insert_attempt_(connection.raw(),
                      "INSERT OR REPLACE INTO attempt VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,"
                      "?12)"),
      update_recipient_(connection.raw(),
                        "UPDATE recipient SET state=?3, attempts=?4, next_due_ms=?5, flags=?6, "
                        "at_ms=?7, host=?8, address=?9, port=?10, tls=?11, stage=?12, code=?13, "
                        "status=?14, reply=?15 WHERE id=?1 AND idx=?2"),
      unfinished_(connection.raw(),
                  "SELECT 1 FROM recipient WHERE id = ?1 AND state IN (0, 1) LIMIT 1"),
      delete_message_(connection.raw(), "DELETE FROM message WHERE id = ?1"),
      delete_chunks_(connection.raw(), "DELETE FROM chunk WHERE id = ?1"),
      delete_recipients_(connection.raw(), "DELETE FROM recipient WHERE id = ?1"),
      delete_attempts_(connection.raw(), "DELETE FROM attempt WHERE id = ?1"),
      select_message_(connection.raw(), select_message().c_str()),
      select_recipients_(connection.raw(), select_recipients().c_str()),
      select_chunk_(connection.raw(),
                    "SELECT octets, digest FROM chunk WHERE id = ?1 AND sequence = ?2"),
      select_due_(
          connection.raw(),
          "SELECT id, idx, next_due_ms, destination, handling FROM recipient WHERE state = 0 AND "
          "next_due_ms <= ?1 AND (next_due_ms, id, idx) > (?2, ?3, ?4) "
          "ORDER BY next_due_ms, id, idx LIMIT ?5"),
      select_next_due_(connection.raw(),
                       "SELECT next_due_ms FROM recipient WHERE state = 0 AND next_due_ms > ?1 "
                       "ORDER BY next_due_ms LIMIT 1"),
      select_token_(connection.raw(),
                    "SELECT reverse_path, expires_ms FROM token WHERE token = ?1"),
      select_attempts_(connection.raw(),
                       fmt::format("SELECT idx, {} FROM attempt WHERE id = ?1 ORDER BY at_ms, idx",
                                   kAttemptColumns)
                           .c_str()),
      token_count_(connection.raw(), "SELECT count(*) FROM token WHERE client = ?1"),
      token_total_(connection.raw(), "SELECT count(*) FROM token"),
      token_known_(connection.raw(), "SELECT 1 FROM token WHERE token = ?1"),
      count_awaiting_(connection.raw(),
                      "SELECT count(*) FROM recipient WHERE awaits = ?1 AND awaits <> ''"),
      list_rows_(connection.raw(), select_list().c_str()),
      totals_(connection.raw(), "SELECT messages, octets, waiting, held FROM tally"),
      message_known_(connection.raw(), "SELECT 1 FROM message WHERE id = ?1"),
      another_unfinished_(connection.raw(),
                          "SELECT 1 FROM recipient WHERE id = ?1 AND idx <> ?2 AND "
                          "state IN (0, 1) LIMIT 1"),
      insert_draft_(connection.raw(), "INSERT INTO draft VALUES (?1) ON CONFLICT DO NOTHING"),
      delete_draft_(connection.raw(), "DELETE FROM draft WHERE id = ?1"),
      insert_slot_(connection.raw(),
                   "INSERT INTO slot (id, sequence, digest, number) VALUES (?1,?2,?3,?4)"),
      delete_slots_(connection.raw(), "DELETE FROM slot WHERE id = ?1 RETURNING number"),
      select_slot_(connection.raw(),
                   "SELECT number, digest FROM slot WHERE id = ?1 AND sequence = ?2") {}

std::optional<mail::QueuedMessage> Store::load(const mail::MessageId& id) {
  const Use message_use(select_message_);
  select_message_.bind_blob(1, blob_of(id));
  if (!select_message_.step()) return std::nullopt;
  mail::QueuedMessage queued{.message = message_from(select_message_, 0), .recipients = {}};
  const Use recipients_use(select_recipients_);
  select_recipients_.bind_blob(1, blob_of(id));
  while (select_recipients_.step()) {
    queued.recipients.push_back(recipient_from(select_recipients_, 0));
  }
  return queued;
}

std::expected<StoredChunk, ports::SpoolError> Store::read(const mail::MessageId& id,
                                                          std::uint32_t sequence) {
  const auto bound = [&](Statement& statement) -> Statement& {
    return statement.bind_blob(1, blob_of(id));
  };
  {
    const Use use(select_chunk_);
    bound(select_chunk_).bind(2, std::int64_t{sequence});
    if (select_chunk_.step()) return StoredChunk{select_chunk_.text(0), select_chunk_.text(1)};
  }
  if (!content_.is_empty()) {
    const Use use(select_slot_);
    bound(select_slot_).bind(2, std::int64_t{sequence});
    if (select_slot_.step()) {
      return StoredChunk{content_.read(select_slot_.number(0)), select_slot_.text(1)};
    }
  }
  // Behind the last chunk is the end, unless a chunk is missing.
  const Use use(select_message_);
  bound(select_message_);
  if (!select_message_.step()) return std::unexpected(ports::SpoolError::NotFound);
  const std::uint64_t size = message_from(select_message_, 0).size;
  const bool missing = std::uint64_t{sequence} * ports::Spool::kChunkOctets < size;
  if (missing || (sequence == 0 && !is_empty(id))) {
    return std::unexpected(ports::SpoolError::Corrupt);
  }
  return StoredChunk();
}

/// Whether a message without a chunk was accepted without an octet: its size alone proves nothing.
bool Store::is_empty(const mail::MessageId& id) {
  Statement hash(connection_.raw(), "SELECT sha256 FROM message WHERE id = ?1");
  hash.bind_blob(1, blob_of(id));
  return hash.step() && hash.text(0) == base::sha256({});
}

std::vector<mail::QueueItem> Store::due(base::WallTime until,
                                        std::optional<ports::QueueCursor> cursor,
                                        std::size_t limit) {
  const ports::QueueCursor after =
      cursor.value_or(ports::QueueCursor{time_of(-1), mail::MessageId(), 0});
  const Use use(select_due_);
  select_due_.bind(1, ms_of(until))
      .bind(2, ms_of(after.next_due))
      .bind_blob(3, blob_of(after.id))
      .bind(4, std::int64_t{after.index})
      .bind(5, static_cast<std::int64_t>(limit));
  std::vector<mail::QueueItem> items;
  while (select_due_.step()) {
    items.push_back({.id = id_of(select_due_.text(0)),
                     .index = static_cast<std::uint16_t>(select_due_.number(1)),
                     .next_due = time_of(select_due_.number(2)),
                     .destination = select_due_.text(3),
                     .risk_pool = (select_due_.number(4) & kRiskPool) != 0});
  }
  return items;
}

std::vector<Store::Accepted> Store::accepted_since(base::WallTime since, std::size_t limit) {
  std::vector<Accepted> found;
  Statement messages(connection_.raw(),
                     "SELECT id, client, reverse_path, sha256 FROM message WHERE id >= ?1 "
                     "ORDER BY id DESC LIMIT ?2");
  Statement paths(connection_.raw(), "SELECT original FROM recipient WHERE id = ?1 ORDER BY idx");
  const auto first = mail::MessageId::make(since, {});
  messages.bind_blob(1, blob_of(first)).bind(2, static_cast<std::int64_t>(limit));
  while (messages.step()) {
    Accepted accepted{.id = id_of(messages.text(0)),
                      .client = messages.text(1),
                      .reverse_path = messages.text(2),
                      .forward_paths = {},
                      .content_sha256 = messages.text(3)};
    const Use use(paths);
    paths.bind_blob(1, blob_of(accepted.id));
    while (paths.step()) {
      const std::string path = paths.text(0);
      // An alias with several targets has a row for each.
      if (accepted.forward_paths.empty() || accepted.forward_paths.back() != path) {
        accepted.forward_paths.push_back(path);
      }
    }
    found.push_back(std::move(accepted));
  }
  return found;
}

std::optional<base::WallTime> Store::next_due(base::WallTime after) {
  const Use use(select_next_due_);
  select_next_due_.bind(1, ms_of(after));
  if (!select_next_due_.step()) return std::nullopt;
  return time_of(select_next_due_.number(0));
}

std::optional<mail::ReversePath> Store::find_token(const std::string& token, base::WallTime now) {
  const Use use(select_token_);
  select_token_.bind(1, token);
  if (!select_token_.step() || select_token_.number(1) < ms_of(now)) return std::nullopt;
  auto mailbox = mail::Mailbox::parse(select_token_.text(0));
  if (!mailbox) return std::nullopt;
  return mail::ReversePath(std::move(*mailbox));
}

std::vector<ports::QueueRow> Store::list(const ports::QueueFilter& filter,
                                         std::optional<ports::QueueCursor> cursor,
                                         std::size_t limit) {
  const ports::QueueCursor after =
      cursor.value_or(ports::QueueCursor{time_of(-1), mail::MessageId(), 0});
  const Use use(list_rows_);
  list_rows_.bind(1, ms_of(after.next_due))
      .bind_blob(2, blob_of(after.id))
      .bind(3, std::int64_t{after.index})
      .bind(4, filter.state ? static_cast<std::int64_t>(*filter.state) : std::int64_t{-1})
      .bind(6, filter.target)
      .bind(7, filter.sender);
  if (filter.id) {
    list_rows_.bind_blob(5, blob_of(*filter.id));
  } else {
    list_rows_.bind_null(5);
  }
  std::vector<ports::QueueRow> rows;
  while (rows.size() < limit && list_rows_.step()) {
    if (!filter.id_prefix.empty() &&
        !id_of(list_rows_.text(0)).to_string().starts_with(filter.id_prefix)) {
      continue;
    }
    rows.push_back({message_from(list_rows_, 0), recipient_from(list_rows_, kMessageColumnCount)});
  }
  return rows;
}

std::vector<ports::AttemptRow> Store::attempts(const mail::MessageId& id) {
  const Use use(select_attempts_);
  select_attempts_.bind_blob(1, blob_of(id));
  std::vector<ports::AttemptRow> rows;
  while (select_attempts_.step()) {
    rows.push_back({static_cast<std::uint16_t>(select_attempts_.number(0)),
                    attempt_from(select_attempts_, 1)});
  }
  return rows;
}

ports::QueueTotals Store::totals() {
  const Use use(totals_);
  totals_.step();
  return {.messages = static_cast<std::uint64_t>(totals_.number(0)),
          .waiting = static_cast<std::uint64_t>(totals_.number(2)),
          .held = static_cast<std::uint64_t>(totals_.number(3)),
          .bytes = static_cast<std::uint64_t>(totals_.number(1))};
}

}  // namespace relay::spool
