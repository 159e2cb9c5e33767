// What tells a chunk of a stored message from anything else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "relay/mail/envelope.hpp"

namespace relay::spool {

/// A piece of content as it comes to be stored.
struct Chunk {
  std::string_view octets;
  std::string_view digest;
};

struct StoredChunk {
  std::string octets;
  std::string digest;
};

/// XXH3-128 of the octets, seeded with id and sequence: a damaged index that leads to the content
/// of another message is found as well as a damaged octet. It finds accidents; who can write the
/// queue on purpose could write any digest. Made by callers, on their own threads, for the one that
/// writes to the disk has enough to do.
std::string chunk_digest(const mail::MessageId& id, std::uint32_t sequence,
                         std::string_view octets);

/// Whether the chunk is what was accepted. The end of the content, without octets, is.
bool is_sound(const mail::MessageId& id, std::uint32_t sequence, const StoredChunk& chunk);

}  // namespace relay::spool
