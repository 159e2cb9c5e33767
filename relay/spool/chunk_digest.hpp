// The digest by which a damaged or misplaced chunk is recognised (guarantee "Damaged content never
// leaves").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "relay/mail/envelope.hpp"

namespace relay::spool {

/// A piece of content to be stored.
struct Chunk {
  std::string_view octets;
  std::string_view digest;
};

struct StoredChunk {
  std::string octets;
  std::string digest;
};

/// XXH3-128 of the octets, seeded with id and sequence: so a damaged index that leads to another
/// message's content is noticed like a damaged octet. Against accidents only: whoever can write to
/// the queue can write any digest. Callers compute it on their own threads, to spare the writer
/// thread.
std::string chunk_digest(const mail::MessageId& id, std::uint32_t sequence,
                         std::string_view octets);

/// Whether the chunk is what was accepted. An empty chunk, the end of the content, is sound.
bool is_sound(const mail::MessageId& id, std::uint32_t sequence, const StoredChunk& chunk);

}  // namespace relay::spool
