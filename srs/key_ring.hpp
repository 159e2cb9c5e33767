// The secrets of an SRS domain: the first one signs, all of them verify until they are retired.
#pragma once

#include <cstdint>
#include <expected>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace srs {

/// Which program's addresses a key verifies. Native ones are made and verified. Those of other
/// programs, whose hashes have 16 bits, are only verified, for a time after a move from such a
/// program.
enum class Scheme {
  Native,                 ///< the strong family, and the classic one of Mail::SRS
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
  /// For a native key: until this second (Unix time, included) it verifies classic tags as well as
  /// strong ones. Classic tags have only 24 bits: kAlways is for a key with which Mail::SRS,
  /// postsrsd or pysrs make addresses. In classic format every native key verifies them.
  std::int64_t classic_until = kNever;
};

enum class KeyError {
  NoKey,
  TooShort,  ///< under 16 octets (128 bits)
  Sample,    ///< a secret from documentation, or one octet repeated
  DuplicateId,
  SigningKeyRetires,  ///< the first key has an end date
  ForeignSigns,       ///< the first key belongs to another program's scheme
  ForeignWithoutEnd,  ///< a key of another program's scheme without verify_until
};

std::string_view describe(KeyError error);

class KeyRing {
 public:
  /// Checks every key, since a guessed secret makes us an open relay.
  static std::expected<KeyRing, KeyError> make(std::vector<Key> keys);

  /// Without the checks: only for published test vectors of other implementations, whose keys are
  /// weak, and for keys that were checked before.
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
