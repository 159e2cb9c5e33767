// One canonical form of a body (RFC 6376 §3.4.3, §3.4.4), hashed while it streams in. BodyHashes
// combines the forms that a message needs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "relay/auth/dkim/canonical.hpp"
#include "relay/base/sha256.hpp"

namespace relay::auth::dkim {

/// Memory is constant: one block of 4 KiB, and 32 octets per mark. A bare CR or LF is an ordinary
/// octet here; our server refuses messages with one.
class CanonicalBody {
 public:
  explicit CanonicalBody(Canon canon) : canon_(canon) {}

  Canon canon() const { return canon_; }

  /// Requests the digest of the first `length` canonical octets in addition; before the first
  /// update().
  void mark(std::uint64_t length);

  void update(std::string_view octets);

  /// Call once, after the last update().
  void finish();

  // After finish().
  std::uint64_t octets() const { return hashed_; }  ///< of the canonical form

  const std::string& digest() const { return digest_; }

  /// The digest for a mark; for a mark beyond the end, the digest of the whole body.
  const std::string& digest_at(std::uint64_t length) const;

 private:
  struct Mark {
    std::uint64_t length = 0;
    std::string digest;
  };

  std::size_t take(std::string_view octets);
  std::size_t take_line_end(std::string_view octets);
  void line_end();
  void emit(std::string_view octets);
  void append(std::string_view octets);
  void hash(std::string_view octets);

  Canon canon_;
  base::Sha256 hash_;
  std::uint64_t hashed_ = 0;
  std::vector<Mark> marks_;    ///< by rising length
  std::size_t next_mark_ = 0;  ///< index of the first mark not reached yet
  std::string digest_;
  std::string block_;                ///< canonical octets not hashed yet
  std::uint64_t pending_crlfs_ = 0;  ///< line ends held back: empty lines at the end are dropped
  bool pending_space_ = false;       ///< white space held back: dropped at the end of a line
  bool pending_cr_ = false;          ///< a chunk ended in CR; LF may follow in the next
  bool any_ = false;                 ///< something was emitted: the body is not empty
};

}  // namespace relay::auth::dkim
