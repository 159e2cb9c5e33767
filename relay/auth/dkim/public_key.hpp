// Public keys of DKIM, verified with OpenSSL. Keys that no honest signer uses are refused before
// any arithmetic is done with them.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string_view>

#include "relay/auth/dkim/algorithm.hpp"

struct evp_pkey_st;

namespace relay::auth::dkim {

enum class KeyFault : std::uint8_t {
  Malformed,        ///< not the DER of an RSA key, not 32 octets of Ed25519
  TooShort,         ///< RSA below 1024 bits (RFC 8301 §3.2)
  TooLong,          ///< RSA above 4096 bits, which verifiers need not support (RFC 8301 §3.2)
  StrangeExponent,  ///< RSA exponent even, below 3 or above 32 bits
};

std::string_view describe(KeyFault fault);

/// Immutable.
class PublicKey {
 public:
  /// `octets`: the decoded p=. RSA as SubjectPublicKeyInfo, which signers publish, or as
  /// RSAPublicKey, which RFC 6376 §3.6.1 specifies.
  static std::expected<PublicKey, KeyFault> parse(KeyType type, std::string_view octets);

  KeyType type() const { return type_; }

  std::uint16_t bits() const { return bits_; }

  /// `hash`: 32 octets, SHA-256 of the signed text. Takes up to 0.25 ms, with RSA of 4096 bits and
  /// the largest exponent allowed.
  bool verify_hash(std::string_view hash, std::string_view signature) const;

 private:
  PublicKey(std::shared_ptr<evp_pkey_st> key, KeyType type, std::uint16_t bits)
      : key_(std::move(key)), type_(type), bits_(bits) {}

  static std::expected<PublicKey, KeyFault> parse_rsa(std::string_view octets);

  std::shared_ptr<evp_pkey_st> key_;
  KeyType type_;
  std::uint16_t bits_;
};

}  // namespace relay::auth::dkim
