#include "srs/key_ring.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <openssl/crypto.h>

#include "srs/text.hpp"

namespace srs {

namespace {

constexpr std::size_t kMinSecretOctets = 16;

/// Beginnings of secrets that appear in documentation and sample files.
constexpr std::array<std::string_view, 10> kSamples = {
    "secret",      "changeme",   "change-me", "password", "example",
    "your-secret", "yoursecret", "tops3cr3t", "insert",   "replace",
};

bool is_sample(std::string_view secret) {
  if (std::ranges::all_of(secret, [&](char c) { return c == secret.front(); })) return true;
  const std::string folded = fold(secret);
  return std::ranges::any_of(kSamples, [&](std::string_view sample) {
    // Also finds "secretsecretsecret", but not 40 random characters that begin with a sample by
    // chance.
    if (!folded.starts_with(sample)) return false;
    std::string_view rest = folded;
    while (rest.starts_with(sample)) rest.remove_prefix(sample.size());
    return rest.size() < kMinSecretOctets;
  });
}

}  // namespace

std::string_view describe(KeyError error) {
  switch (error) {
    case KeyError::NoKey:
      return "no secret is configured";
    case KeyError::TooShort:
      return "the secret is shorter than 16 octets (128 bits)";
    case KeyError::Sample:
      return "the secret is a sample value; make one of random octets";
    case KeyError::DuplicateId:
      return "two secrets have the same id";
    case KeyError::SigningKeyRetires:
      return "the first secret signs and cannot have verify_until";
    case KeyError::ForeignSigns:
      return "the first secret signs and must be ours: another program's scheme only verifies";
    case KeyError::ForeignWithoutEnd:
      return "a secret of another program's scheme needs verify_until";
  }
  return "unusable secret";
}

std::expected<KeyRing, KeyError> KeyRing::make(std::vector<Key> keys) {
  if (keys.empty()) return std::unexpected(KeyError::NoKey);
  if (keys.front().scheme != Scheme::Native) return std::unexpected(KeyError::ForeignSigns);
  if (keys.front().verify_until) return std::unexpected(KeyError::SigningKeyRetires);
  std::set<std::string> ids;
  for (const Key& key : keys) {
    if (key.secret.size() < kMinSecretOctets) return std::unexpected(KeyError::TooShort);
    if (is_sample(key.secret)) return std::unexpected(KeyError::Sample);
    if (key.scheme != Scheme::Native && !key.verify_until) {
      return std::unexpected(KeyError::ForeignWithoutEnd);
    }
    if (!ids.insert(key.id).second) return std::unexpected(KeyError::DuplicateId);
  }
  return KeyRing(std::move(keys));
}

KeyRing KeyRing::unchecked(std::vector<Key> keys) { return KeyRing(std::move(keys)); }

KeyRing::~KeyRing() {
  for (Key& key : keys_) OPENSSL_cleanse(key.secret.data(), key.secret.size());
}

}  // namespace srs
