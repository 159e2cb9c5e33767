#include "relay/spool/contents.hpp"

#include "relay/base/sha256.hpp"
#include "relay/spool/rows.hpp"

namespace relay::spool {

using ports::SpoolError;

namespace {

constexpr std::size_t kChunk = ports::kChunkOctets;
/// Sequence of a row with only our header fields, used if no content is in the database.
constexpr std::int64_t kBeforeContent = -1;

}  // namespace

std::expected<ContentCut, SpoolError> ContentCut::of(const ports::NewMessage& message) {
  const std::uint64_t size = message.message.size;
  const std::size_t given = message.content.size();
  if (given > size || (size - given) % kChunk != 0) return std::unexpected(SpoolError::Corrupt);
  ContentCut cut{.appended = static_cast<std::uint32_t>((size - given) / kChunk), .pieces = {}};
  for (std::size_t at = 0; at < given; at += kChunk) {
    const std::uint32_t sequence = cut.appended + static_cast<std::uint32_t>(at / kChunk);
    const std::string_view octets = std::string_view(message.content).substr(at, kChunk);
    cut.pieces.push_back({.sequence = sequence,
                          .at = at,
                          .octets = octets.size(),
                          .digest = chunk_digest(message.message.id, sequence, octets)});
  }
  return cut;
}

bool ContentCut::beside_database() const {
  return appended > 0 || (!pieces.empty() && pieces.front().octets == kChunk);
}

// Our header fields are stored in the first row of a message, beside its content if that is small,
// which needs no extra page. As columns of `message` they would overflow into extra pages from
// 2,030 octets on.
Contents::Contents(Connection& connection, ContentFile& file)
    : connection_(connection),
      file_(file),
      message_known_(connection.raw(), "SELECT 1 FROM message WHERE id = ?1"),
      insert_draft_(connection.raw(), "INSERT INTO draft VALUES (?1) ON CONFLICT DO NOTHING"),
      delete_draft_(connection.raw(), "DELETE FROM draft WHERE id = ?1"),
      draft_chunks_(connection.raw(),
                    "SELECT (SELECT count(*) FROM slot WHERE id = ?1) FROM draft WHERE id = ?1"),
      insert_chunk_(connection.raw(),
                    "INSERT INTO chunk (id, sequence, digest, octets, trace_fields, seal_fields, "
                    "rewritten_head) VALUES (?1,?2,?3,?4,?5,?6,?7)"),
      delete_chunks_(connection.raw(), "DELETE FROM chunk WHERE id = ?1"),
      insert_slot_(connection.raw(),
                   "INSERT INTO slot (id, sequence, digest, number) VALUES (?1,?2,?3,?4)"),
      slot_known_(connection.raw(), "SELECT 1 FROM slot WHERE id = ?1 AND sequence = ?2"),
      delete_slots_(connection.raw(), "DELETE FROM slot WHERE id = ?1 RETURNING number"),
      select_chunk_(connection.raw(),
                    "SELECT octets, digest FROM chunk WHERE id = ?1 AND sequence = ?2"),
      select_slot_(connection.raw(),
                   "SELECT number, digest FROM slot WHERE id = ?1 AND sequence = ?2"),
      select_end_(connection.raw(), "SELECT size, sha256 FROM message WHERE id = ?1"),
      select_fields_(connection.raw(),
                     "SELECT trace_fields, seal_fields, rewritten_head FROM chunk WHERE id = ?1 "
                     "ORDER BY sequence LIMIT 1"),
      draft_chunks_out_(connection.raw(), "DELETE FROM chunk WHERE id IN (SELECT id FROM draft)"),
      draft_slots_out_(connection.raw(), "DELETE FROM slot WHERE id IN (SELECT id FROM draft)"),
      drafts_out_(connection.raw(), "DELETE FROM draft"),
      slots_(connection.raw(), "SELECT number FROM slot") {}

void Contents::append(const mail::MessageId& id, std::uint32_t sequence, const Chunk& chunk) {
  {
    const Use use(message_known_);
    message_known_.bind_blob(1, blob_of(id));
    if (message_known_.step()) return;
  }
  insert_draft_.bind_blob(1, blob_of(id));
  insert_draft_.run();
  {
    const Use use(slot_known_);
    slot_known_.bind_blob(1, blob_of(id)).bind(2, std::int64_t{sequence});
    if (slot_known_.step()) return;
  }
  put_slot(id, sequence, chunk);
}

void Contents::discard(const mail::MessageId& id) {
  delete_draft_.bind_blob(1, blob_of(id));
  delete_draft_.run();
  // No such draft: it may have become a message, when the result of its commit was unknown.
  if (connection_.changes() > 0) give_up_slots(id);
}

bool Contents::is_draft(const mail::MessageId& id, std::uint32_t chunks) {
  const Use use(draft_chunks_);
  draft_chunks_.bind_blob(1, blob_of(id));
  return draft_chunks_.step() && draft_chunks_.number(0) == std::int64_t{chunks};
}

void Contents::put(const ports::NewMessage& message, const ContentCut& cut) {
  const mail::AcceptedMessage& m = message.message;
  if (cut.appended > 0) {
    delete_draft_.bind_blob(1, blob_of(m.id));
    delete_draft_.run();
  }
  bool in_database = false;
  for (const ContentCut::Piece& piece : cut.pieces) {
    const Chunk chunk{.octets = std::string_view(message.content).substr(piece.at, piece.octets),
                      .digest = piece.digest};
    if (piece.octets == kChunk) {
      put_slot(m.id, piece.sequence, chunk);
    } else {
      put_row(m, piece.sequence, chunk);
      in_database = true;
    }
  }
  const bool fields =
      !m.trace_fields.empty() || !m.seal_fields.empty() || !m.rewritten_head.empty();
  if (fields && !in_database) put_row(m, kBeforeContent, {});
  if (cut.beside_database()) file_.sync();
}

void Contents::put_slot(const mail::MessageId& id, std::uint32_t sequence, const Chunk& chunk) {
  insert_slot_.bind_blob(1, blob_of(id))
      .bind(2, std::int64_t{sequence})
      .bind_blob(3, chunk.digest)
      .bind(4, file_.write(chunk.octets));
  insert_slot_.run();
}

void Contents::put_row(const mail::AcceptedMessage& message, std::int64_t sequence,
                       const Chunk& chunk) {
  insert_chunk_.bind_blob(1, blob_of(message.id))
      .bind(2, sequence)
      .bind_blob(3, chunk.digest)
      .bind_blob(4, chunk.octets);
  int at = 5;
  for (const std::string* field :
       {&message.trace_fields, &message.seal_fields, &message.rewritten_head}) {
    if (field->empty()) {
      insert_chunk_.bind_null(at++);
    } else {
      insert_chunk_.bind_blob(at++, *field);
    }
  }
  insert_chunk_.run();
}

void Contents::remove(const mail::MessageId& id) {
  give_up_slots(id);
  delete_chunks_.bind_blob(1, blob_of(id));
  delete_chunks_.run();
}

void Contents::give_up_slots(const mail::MessageId& id) {
  if (file_.is_empty()) return;  // the usual case: no big message is stored
  const Use use(delete_slots_);
  delete_slots_.bind_blob(1, blob_of(id));
  while (delete_slots_.step()) file_.give_up(delete_slots_.number(0));
}

std::expected<StoredChunk, SpoolError> Contents::read(const mail::MessageId& id,
                                                      std::uint32_t sequence) {
  {
    const Use use(select_chunk_);
    select_chunk_.bind_blob(1, blob_of(id)).bind(2, std::int64_t{sequence});
    if (select_chunk_.step()) return StoredChunk{select_chunk_.text(0), select_chunk_.text(1)};
  }
  if (!file_.is_empty()) {
    const Use use(select_slot_);
    select_slot_.bind_blob(1, blob_of(id)).bind(2, std::int64_t{sequence});
    if (select_slot_.step()) {
      return StoredChunk{file_.read(select_slot_.number(0)), select_slot_.text(1)};
    }
  }
  // No such chunk: the end of the content, unless a chunk is missing.
  const Use use(select_end_);
  select_end_.bind_blob(1, blob_of(id));
  if (!select_end_.step()) return std::unexpected(SpoolError::NotFound);
  const auto size = static_cast<std::uint64_t>(select_end_.number(0));
  const bool missing = std::uint64_t{sequence} * kChunk < size;
  // The size alone does not prove that the message was accepted without content: check its hash.
  if (missing || (sequence == 0 && select_end_.view(1) != base::sha256({}))) {
    return std::unexpected(SpoolError::Corrupt);
  }
  return StoredChunk();
}

void Contents::read_fields(mail::AcceptedMessage& message) {
  const Use use(select_fields_);
  select_fields_.bind_blob(1, blob_of(message.id));
  if (!select_fields_.step()) return;
  message.trace_fields = select_fields_.text(0);
  message.seal_fields = select_fields_.text(1);
  message.rewritten_head = select_fields_.text(2);
}

std::int64_t Contents::remove_drafts() {
  draft_chunks_out_.run();
  draft_slots_out_.run();
  drafts_out_.run();
  return connection_.changes();
}

void Contents::adopt_slots() {
  const Use use(slots_);
  while (slots_.step()) file_.adopt(slots_.number(0));
}

}  // namespace relay::spool
