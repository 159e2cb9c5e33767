// The secrets of an SRS domain: the first signs, all verify until they are retired.
#pragma once

#include <cstdint>
#include <expected>
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
  std::string id;
  std::string secret;
  std::optional<std::int64_t> verify_until;  ///< Unix seconds; afterwards the key is ignored
  Scheme scheme = Scheme::Native;
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
