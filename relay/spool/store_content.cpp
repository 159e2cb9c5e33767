// Content of the queue: chunks, those of big messages beside the database, and drafts.
#include <algorithm>

#include <xxhash.h>

#include "relay/base/sha256.hpp"
#include "relay/spool/rows.hpp"
#include "relay/spool/store.hpp"

namespace relay::spool {

namespace {

std::string place_of(const mail::MessageId& id, std::uint32_t sequence) {
  std::string place(blob_of(id));
  for (const unsigned shift : {24U, 16U, 8U, 0U}) place += static_cast<char>(sequence >> shift);
  return place;
}

/// What chunks were stored with up to schema 6.
std::string chunk_sha256(const mail::MessageId& id, std::uint32_t sequence,
                         std::string_view octets) {
  base::Sha256 digest;
  digest.update(place_of(id, sequence));
  digest.update(octets);
  return digest.finish();
}

}  // namespace

std::uint32_t last_sequence(const ports::NewMessage& message) {
  const std::uint64_t size = message.message.size;
  const std::uint64_t before = size - std::min<std::uint64_t>(size, message.last_chunk.size());
  return static_cast<std::uint32_t>(before / ports::Spool::kChunkOctets);
}

std::string chunk_digest(const mail::MessageId& id, std::uint32_t sequence,
                         std::string_view octets) {
  const std::string place = place_of(id, sequence);
  const XXH64_hash_t seed = XXH3_64bits(place.data(), place.size());
  XXH128_canonical_t digest;
  XXH128_canonicalFromHash(&digest, XXH3_128bits_withSeed(octets.data(), octets.size(), seed));
  return {reinterpret_cast<const char*>(digest.digest), sizeof(digest.digest)};
}

std::string last_chunk_digest(const ports::NewMessage& message) {
  if (message.last_chunk.empty()) return {};
  return chunk_digest(message.message.id, last_sequence(message), message.last_chunk);
}

bool is_sound(const mail::MessageId& id, std::uint32_t sequence, const StoredChunk& chunk) {
  if (chunk.octets.empty()) return true;
  const bool is_old = chunk.digest.size() == base::kSha256Octets;
  return (is_old ? chunk_sha256 : chunk_digest)(id, sequence, chunk.octets) == chunk.digest;
}

void Store::insert_chunk(const mail::MessageId& id, std::uint32_t sequence, const Chunk& chunk) {
  insert_chunk_.bind_blob(1, blob_of(id))
      .bind(2, std::int64_t{sequence})
      .bind_blob(3, chunk.digest)
      .bind_blob(4, chunk.octets);
  insert_chunk_.run();
}

void Store::append(const mail::MessageId& id, std::uint32_t sequence, const Chunk& chunk) {
  if (sequence == 0) {
    insert_draft_.bind_blob(1, blob_of(id));
    insert_draft_.run();
  }
  if (chunk.octets.size() != ContentFile::kSlotOctets) return insert_chunk(id, sequence, chunk);
  insert_slot_.bind_blob(1, blob_of(id))
      .bind(2, std::int64_t{sequence})
      .bind_blob(3, chunk.digest)
      .bind(4, content_.write(chunk.octets));
  insert_slot_.run();
}

void Store::give_up_slots(const mail::MessageId& id) {
  if (content_.is_empty()) return;  // as on most days
  const Use use(delete_slots_);
  delete_slots_.bind_blob(1, blob_of(id));
  while (delete_slots_.step()) content_.give_up(delete_slots_.number(0));
}

void Store::discard(const mail::MessageId& id) {
  give_up_slots(id);
  for (Statement* statement : {&delete_chunks_, &delete_draft_}) {
    statement->bind_blob(1, blob_of(id));
    statement->run();
  }
}

std::int64_t Store::remove_drafts() {
  connection_.execute("DELETE FROM chunk WHERE id IN (SELECT id FROM draft)");
  connection_.execute("DELETE FROM slot WHERE id IN (SELECT id FROM draft)");
  connection_.execute("DELETE FROM draft");
  return connection_.changes();
}

void Store::adopt_slots() {
  Statement numbers(connection_.raw(), "SELECT number FROM slot");
  while (numbers.step()) content_.adopt(numbers.number(0));
}

}  // namespace relay::spool
