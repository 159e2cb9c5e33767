// Makes the hashes that show that an address is ours, and checks them. Knows the secrets and what
// each scheme hashes, but not how an address is composed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "srs/key_ring.hpp"
#include "srs/options.hpp"

namespace srs {

/// What an address says of itself.
struct Claim {
  std::string_view kind;  ///< "SRS0", "SRS1", "SRST" or "SRSM"
  std::string_view hash;
  std::vector<std::string_view> fields;  ///< the stamp comes first, except for SRS1
  std::int64_t now_unix;
};

/// A claim whose hash is right.
struct Verified {
  Family family;
  std::string key_id;
  bool weak;          ///< see Reversed::weak
  std::string stamp;  ///< "" when the family has none
};

class Authenticator {
 public:
  /// `domain` is our SRS domain; strong hashes are bound to it.
  Authenticator(KeyRing keys, std::string_view domain, const Options& options);

  /// The whole strong hash, 52 characters, of an address that is made on this day.
  std::string strong_hash(std::string_view kind, const std::vector<std::string_view>& fields,
                          std::int64_t now_unix) const;

  /// A classic hash of the configured length. `text`: the fields one behind the other.
  std::string classic_hash(std::string_view text) const;

  /// Keyed digest of the fields, 80 bits as base32, under which we recognise something again that
  /// is not to be shown. `purpose` keeps the digests of different uses apart.
  std::string digest(std::string_view purpose, std::vector<std::string_view> fields) const;

  /// Tries every key and compares in constant time, so that the time taken reveals nothing.
  std::optional<Verified> verify(const Claim& claim) const;

  /// True while some key accepts hashes that are short enough to be found by trying.
  bool takes_short_hashes(std::int64_t now_unix) const;

  const KeyRing& keys() const { return keys_; }

 private:
  std::string strong_hash(const Key& key, std::string_view kind,
                          const std::vector<std::string_view>& fields) const;
  bool takes_classic(const Key& key, std::int64_t now_unix) const;
  std::optional<Verified> match_strong(const Key& key, const Claim& claim) const;
  std::optional<Verified> match_classic(const Key& key, const Claim& claim) const;
  std::optional<Verified> match(const Key& key, const Claim& claim) const;

  KeyRing keys_;
  std::string folded_domain_;
  Format format_;
  std::size_t classic_hash_length_;
  std::size_t classic_hash_min_;
};

}  // namespace srs
