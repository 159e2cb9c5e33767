#include "relay/spool/chunk_digest.hpp"

#include <xxhash.h>

#include "relay/base/sha256.hpp"

namespace relay::spool {

namespace {

std::string place_of(const mail::MessageId& id, std::uint32_t sequence) {
  std::string place(id.octets().begin(), id.octets().end());
  for (const unsigned shift : {24U, 16U, 8U, 0U}) place += static_cast<char>(sequence >> shift);
  return place;
}

/// The digest of chunks stored by schema 6 and older.
std::string chunk_sha256(const mail::MessageId& id, std::uint32_t sequence,
                         std::string_view octets) {
  base::Sha256 digest;
  digest.update(place_of(id, sequence));
  digest.update(octets);
  return digest.finish();
}

}  // namespace

std::string chunk_digest(const mail::MessageId& id, std::uint32_t sequence,
                         std::string_view octets) {
  const std::string place = place_of(id, sequence);
  const XXH64_hash_t seed = XXH3_64bits(place.data(), place.size());
  XXH128_canonical_t digest;
  XXH128_canonicalFromHash(&digest, XXH3_128bits_withSeed(octets.data(), octets.size(), seed));
  return {reinterpret_cast<const char*>(digest.digest), sizeof(digest.digest)};
}

bool is_sound(const mail::MessageId& id, std::uint32_t sequence, const StoredChunk& chunk) {
  if (chunk.octets.empty()) return true;
  const bool is_old = chunk.digest.size() == base::kSha256Octets;
  return (is_old ? chunk_sha256 : chunk_digest)(id, sequence, chunk.octets) == chunk.digest;
}

}  // namespace relay::spool
