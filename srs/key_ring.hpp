// The secrets of an SRS domain: the first signs, all verify until they are retired.
#pragma once

#include <cstdint>
#include <expected>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace srs {

/// Whose addresses a key verifies. Ours are made and verified; those of other programs, which use
/// hashes of 16 bits, are verified only, while somebody moves to us.
enum class Scheme {
  Native,                 ///< strong and Mail::SRS
  Exim,                   ///< Exim's native SRS
  SrsJs,                  ///< npm srs.js
  SenderRewritingScheme,  ///< npm sender-rewriting-scheme
};

struct Key {
  static constexpr std::int64_t kAlways = std::numeric_limits<std::int64_t>::max();
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();

  std::string id;
  std::string secret;
  std::optional<std::int64_t> verify_until;  ///< Unix seconds; afterwards the key is ignored
  Scheme scheme = Scheme::Native;
  /// Of a native key: through this second (Unix time) it verifies classic tags beside strong ones.
  /// They have 24 bits: kAlways is for a key that Mail::SRS, postsrsd or pysrs make addresses with.
  /// In classic format every native key verifies them.
  std::int64_t classic_until = kNever;
};

enum class KeyError {
  NoKey,
  TooShort,  ///< under 16 octets (128 bits)
  Sample,    ///< a secret out of somebody's documentation, or one octet repeated
  DuplicateId,
  SigningKeyRetires,  ///< the first key has an end date
  ForeignSigns,       ///< the first key is another program's
  ForeignWithoutEnd,  ///< another program's key without verify_until
};

std::string_view describe(KeyError error);

class KeyRing {
 public:
  /// Checks every key: a weak secret is an open relay.
  static std::expected<KeyRing, KeyError> make(std::vector<Key> keys);

  /// Without the checks: for replaying other implementations' published vectors only.
  static KeyRing unchecked(std::vector<Key> keys);

  KeyRing(const KeyRing&) = default;
  KeyRing(KeyRing&&) noexcept = default;
  KeyRing& operator=(const KeyRing&) = default;
  KeyRing& operator=(KeyRing&&) noexcept = default;
  ~KeyRing();  ///< wipes the secrets

  const Key& signing() const { return keys_.front(); }

  const std::vector<Key>& all() const { return keys_; }

 private:
  explicit KeyRing(std::vector<Key> keys) : keys_(std::move(keys)) {}

  std::vector<Key> keys_;
};

}  // namespace srs
