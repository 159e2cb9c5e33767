// The signature algorithms in use (RFC 8301 §3.1, RFC 8463 §3). rsa-sha1 is recognised, for the
// report, but never verified.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace relay::auth::dkim {

enum class KeyType : std::uint8_t { Rsa, Ed25519 };

/// The longest RSA key that is used: longer ones cost time that an attacker chooses.
inline constexpr int kMaxRsaBits = 4096;

constexpr std::string_view algorithm_of(KeyType type) {
  return type == KeyType::Rsa ? "rsa-sha256" : "ed25519-sha256";
}

inline constexpr std::string_view kHistoricAlgorithm = "rsa-sha1";

/// The key type for a= of a signature; nullopt for algorithms that we do not verify. Algorithm
/// names are case-sensitive (RFC 6376 §3.2).
constexpr std::optional<KeyType> key_type_of(std::string_view algorithm) {
  if (algorithm == algorithm_of(KeyType::Rsa)) return KeyType::Rsa;
  if (algorithm == algorithm_of(KeyType::Ed25519)) return KeyType::Ed25519;
  return std::nullopt;
}

}  // namespace relay::auth::dkim
