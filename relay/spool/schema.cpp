#include "relay/spool/schema.hpp"

#include <array>
#include <charconv>

#include <fmt/format.h>

namespace relay::spool {

namespace {

// 1: the first schema. Content lies in chunks of 256 KiB, each with a digest of octets and place,
// so that damage is found before sending without reading a big body twice. A chunk without a
// message row is a draft. recipient_due indexes waiting copies only, so closed rows cost nothing.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE message (
  id BLOB PRIMARY KEY, received_ms INTEGER NOT NULL, reverse_path TEXT NOT NULL,
  flags INTEGER NOT NULL, client TEXT NOT NULL, client_port INTEGER NOT NULL, helo TEXT NOT NULL,
  tls_version TEXT NOT NULL, tls_cipher TEXT NOT NULL, trace_fields BLOB NOT NULL,
  size INTEGER NOT NULL, sha256 BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE chunk (
  id BLOB NOT NULL, sequence INTEGER NOT NULL, sha256 BLOB NOT NULL, octets BLOB NOT NULL);
CREATE UNIQUE INDEX chunk_key ON chunk (id, sequence);
CREATE TABLE recipient (
  id BLOB NOT NULL, idx INTEGER NOT NULL, original TEXT NOT NULL, target TEXT NOT NULL,
  destination TEXT NOT NULL, reverse_path TEXT NOT NULL, state INTEGER NOT NULL,
  attempts INTEGER NOT NULL, next_due_ms INTEGER NOT NULL, flags INTEGER NOT NULL,
  at_ms INTEGER NOT NULL, host TEXT NOT NULL, address TEXT NOT NULL, port INTEGER NOT NULL,
  tls TEXT NOT NULL, stage INTEGER NOT NULL, code INTEGER NOT NULL, status TEXT NOT NULL,
  reply TEXT NOT NULL, PRIMARY KEY (id, idx)) WITHOUT ROWID;
CREATE INDEX recipient_due ON recipient (next_due_ms, id, idx) WHERE state = 0;
CREATE TABLE attempt (
  id BLOB NOT NULL, idx INTEGER NOT NULL, number INTEGER NOT NULL, at_ms INTEGER NOT NULL,
  host TEXT NOT NULL, address TEXT NOT NULL, port INTEGER NOT NULL, tls TEXT NOT NULL,
  stage INTEGER NOT NULL, code INTEGER NOT NULL, status TEXT NOT NULL, reply TEXT NOT NULL,
  PRIMARY KEY (id, idx, number)) WITHOUT ROWID;
CREATE TABLE token (
  token TEXT PRIMARY KEY, reverse_path TEXT NOT NULL, expires_ms INTEGER NOT NULL,
  client TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX token_client ON token (client);
CREATE INDEX token_expiry ON token (expires_ms);
)sql";

// 2: how each copy leaves, and whether the sender may get a DSN. Messages of version 1 were
// accepted with the promise of a DSN to any sender: flag 8 keeps that promise.
constexpr const char* kVersion2 = R"sql(
ALTER TABLE message ADD COLUMN seal_fields BLOB NOT NULL DEFAULT x'';
ALTER TABLE message ADD COLUMN rewritten_head BLOB NOT NULL DEFAULT x'';
ALTER TABLE message ADD COLUMN header_octets INTEGER NOT NULL DEFAULT 0;
ALTER TABLE recipient ADD COLUMN handling INTEGER NOT NULL DEFAULT 0;
ALTER TABLE recipient ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE recipient ADD COLUMN released_ms INTEGER NOT NULL DEFAULT 0;
UPDATE message SET flags = flags | 8;
)sql";

// 3: greylisting. A row with passes = 0 waits; rows are dropped in the order of the index.
constexpr const char* kVersion3 = R"sql(
CREATE TABLE greylist (
  key BLOB PRIMARY KEY, at_ms INTEGER NOT NULL, passes INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX greylist_order ON greylist (passes > 0, expires_ms);
)sql";

// 4: whose consent a held copy awaits. The index contains only such copies, because it is queried
// for every recipient whose target has not confirmed.
constexpr const char* kVersion4 = R"sql(
ALTER TABLE recipient ADD COLUMN awaits TEXT NOT NULL DEFAULT '';
CREATE INDEX recipient_awaits ON recipient (awaits, id, idx) WHERE awaits <> '';
)sql";

// 5: the sums shown by `status` are kept up to date, because counting a million rows would block
// the writer; and drafts are listed, so that a start finds them without scanning all bodies.
constexpr const char* kVersion5 = R"sql(
CREATE TABLE tally (
  messages INTEGER NOT NULL, octets INTEGER NOT NULL, waiting INTEGER NOT NULL,
  held INTEGER NOT NULL);
INSERT INTO tally SELECT
  (SELECT count(*) FROM message), (SELECT coalesce(sum(size), 0) FROM message),
  (SELECT count(*) FROM recipient WHERE state = 0),
  (SELECT count(*) FROM recipient WHERE state = 1);
CREATE TRIGGER message_in AFTER INSERT ON message BEGIN
  UPDATE tally SET messages = messages + 1, octets = octets + new.size; END;
CREATE TRIGGER message_out AFTER DELETE ON message BEGIN
  UPDATE tally SET messages = messages - 1, octets = octets - old.size; END;
CREATE TRIGGER recipient_in AFTER INSERT ON recipient WHEN new.state < 2 BEGIN
  UPDATE tally SET waiting = waiting + (new.state = 0), held = held + (new.state = 1); END;
CREATE TRIGGER recipient_out AFTER DELETE ON recipient WHEN old.state < 2 BEGIN
  UPDATE tally SET waiting = waiting - (old.state = 0), held = held - (old.state = 1); END;
CREATE TRIGGER recipient_moved AFTER UPDATE OF state ON recipient
  WHEN old.state <> new.state BEGIN
  UPDATE tally SET waiting = waiting + (new.state = 0) - (old.state = 0),
                   held = held + (new.state = 1) - (old.state = 1); END;
CREATE TABLE draft (id BLOB PRIMARY KEY) WITHOUT ROWID;
INSERT INTO draft SELECT DISTINCT id FROM chunk
  WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.id = chunk.id);
)sql";

// 6: whole chunks of big content lie in slots of a file beside the database (content_file.hpp).
constexpr const char* kVersion6 = R"sql(
CREATE TABLE slot (
  id BLOB NOT NULL, sequence INTEGER NOT NULL, sha256 BLOB NOT NULL, number INTEGER NOT NULL,
  PRIMARY KEY (id, sequence)) WITHOUT ROWID;
)sql";

// 7: chunks have a faster digest, at an eighth of the cost; older chunks keep theirs, recognised by
// its length.
constexpr const char* kVersion7 = R"sql(
ALTER TABLE chunk RENAME COLUMN sha256 TO digest;
ALTER TABLE slot RENAME COLUMN sha256 TO digest;
)sql";

// 8: lanes have an index of their own, and notices are owed for copies that ended. Our header
// fields move to the content: in `message` they made rows overflow into extra pages (for older
// messages they get a row before the first chunk). The program keeps the sums: triggers took a
// quarter of its work. Attempt numbers leave room for several hosts each. How an older copy ended
// is derived from its state.
constexpr const char* kVersion8 = R"sql(
DROP TRIGGER message_in; DROP TRIGGER message_out; DROP TRIGGER recipient_in;
DROP TRIGGER recipient_out; DROP TRIGGER recipient_moved;
ALTER TABLE chunk ADD COLUMN trace_fields BLOB;
ALTER TABLE chunk ADD COLUMN seal_fields BLOB;
ALTER TABLE chunk ADD COLUMN rewritten_head BLOB;
INSERT INTO chunk
  SELECT id, -1, x'', x'', nullif(trace_fields, x''), nullif(seal_fields, x''),
    nullif(rewritten_head, x'')
  FROM message;
CREATE TABLE message8 (
  id BLOB PRIMARY KEY, received_ms INTEGER NOT NULL, size INTEGER NOT NULL, flags INTEGER NOT NULL,
  reverse_path TEXT NOT NULL, client TEXT NOT NULL, client_port INTEGER NOT NULL,
  helo TEXT NOT NULL, tls_version TEXT NOT NULL, tls_cipher TEXT NOT NULL,
  message_id TEXT NOT NULL, sha256 BLOB NOT NULL, header_octets INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO message8
  SELECT id, received_ms, size, flags, reverse_path, client, client_port, helo, tls_version,
    tls_cipher, '', sha256, header_octets
  FROM message;
DROP TABLE message;
ALTER TABLE message8 RENAME TO message;
ALTER TABLE recipient ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;
ALTER TABLE recipient ADD COLUMN tls_policy INTEGER NOT NULL DEFAULT 1;
ALTER TABLE recipient ADD COLUMN tls_result INTEGER NOT NULL DEFAULT 0;
UPDATE recipient SET ended = state - 1 WHERE state IN (2, 3);
CREATE INDEX recipient_lane ON recipient (destination, handling & 2, next_due_ms, id, idx)
  WHERE state = 0;
ALTER TABLE attempt ADD COLUMN tls_policy INTEGER NOT NULL DEFAULT 1;
ALTER TABLE attempt ADD COLUMN tls_result INTEGER NOT NULL DEFAULT 0;
UPDATE attempt SET number = -8 * number WHERE number > 0;
UPDATE attempt SET number = -number WHERE number < 0;
CREATE TABLE notice (
  id BLOB NOT NULL, idx INTEGER NOT NULL, kind INTEGER NOT NULL, PRIMARY KEY (id, idx))
  WITHOUT ROWID;
CREATE TABLE report (id BLOB PRIMARY KEY, due_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX report_due ON report (due_ms, id);
CREATE TABLE pause_rule (
  kind INTEGER NOT NULL, value TEXT NOT NULL, reason TEXT NOT NULL, since_ms INTEGER NOT NULL,
  until_ms INTEGER, PRIMARY KEY (kind, value)) WITHOUT ROWID;
ALTER TABLE tally ADD COLUMN tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tally ADD COLUMN reports INTEGER NOT NULL DEFAULT 0;
UPDATE tally SET tokens = (SELECT count(*) FROM token);
)sql";

// 9: copies are held in place among the waiting ones (kHeldInPlace in rows.hpp). The tables are the
// same, but an older program would send held copies.
constexpr const char* kVersion9 = "";

// 10: stored senders are counted, per quota, as they are added and removed.
constexpr const char* kVersion10 = R"sql(
DROP INDEX token_client;
ALTER TABLE token RENAME COLUMN client TO counted_under;
CREATE TABLE token_count (
  counted_under TEXT PRIMARY KEY, tokens INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO token_count SELECT counted_under, count(*) FROM token GROUP BY counted_under;
)sql";

// 11: copies of an alias with a fallback form a group, in which the fallback's copies stand by in a
// state of their own (4), which an older program would take for damage.
constexpr const char* kVersion11 = R"sql(
ALTER TABLE recipient ADD COLUMN fallback_group INTEGER NOT NULL DEFAULT 0;
)sql";

// 12: greylist rows and stored senders are counted per owner: the wider network (IPv4 /24, IPv6
// /48). For older rows the owner is unknown.
constexpr const char* kVersion12 = R"sql(
ALTER TABLE greylist ADD COLUMN counted_under BLOB NOT NULL DEFAULT x'';
CREATE INDEX greylist_share ON greylist (passes > 0, counted_under, expires_ms);
CREATE TABLE greylist_count (
  passed INTEGER NOT NULL, counted_under BLOB NOT NULL, number INTEGER NOT NULL,
  PRIMARY KEY (passed, counted_under)) WITHOUT ROWID;
CREATE INDEX greylist_most ON greylist_count (passed, number);
INSERT INTO greylist_count
  SELECT passes > 0, counted_under, count(*) FROM greylist GROUP BY passes > 0, counted_under;
ALTER TABLE token ADD COLUMN counted_wider TEXT NOT NULL DEFAULT '';
)sql";

// 13: the keys by which the newest messages are recognised when they are sent again, delivered or
// not. Messages that an older program accepted are not recognised: the key needs more than it
// stored.
constexpr const char* kVersion13 = R"sql(
CREATE TABLE resend (
  number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, id BLOB NOT NULL, key BLOB NOT NULL);
)sql";

// In order. A released step never changes; a new one goes to the end.
constexpr auto kSteps = std::to_array<const char*>({
    kVersion1,
    kVersion2,
    kVersion3,
    kVersion4,
    kVersion5,
    kVersion6,
    kVersion7,
    kVersion8,
    kVersion9,
    kVersion10,
    kVersion11,
    kVersion12,
    kVersion13,
});

}  // namespace

int schema_version() { return static_cast<int>(kSteps.size()); }

std::optional<std::string> objection_to(int version) {
  if (version < 0) return "its schema version is damaged";
  if (version <= schema_version()) return std::nullopt;
  return fmt::format(
      "the queue has schema {}, this program knows up to {}: it was written by a newer srs-relay",
      version, schema_version());
}

void migrate(Connection& connection) { migrate_to(connection, schema_version()); }

void migrate_to(Connection& connection, int version) {
  const std::string text = connection.pragma("PRAGMA user_version");
  int found = 0;
  std::from_chars(text.data(), text.data() + text.size(), found);
  if (const auto why = objection_to(found)) {
    throw DatabaseError(found < 0 ? SQLITE_CORRUPT : SQLITE_ERROR, *why);
  }
  for (; found < version; ++found) {
    connection.execute("BEGIN IMMEDIATE");
    connection.execute(kSteps.at(static_cast<std::size_t>(found)));
    connection.execute(fmt::format("PRAGMA user_version = {}", found + 1).c_str());
    connection.execute("COMMIT");
  }
}

}  // namespace relay::spool
