// Private keys of DKIM (RFC 6376, RFC 8463) and the DNS records of their public halves.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "relay/auth/dkim/algorithm.hpp"

struct evp_pkey_ctx_st;
struct evp_pkey_st;

namespace relay::auth::dkim {

/// Immutable; signing from several threads at once is allowed.
class PrivateKey {
 public:
  static constexpr int kMinRsaBits = 2048;

  /// PEM: RSA of 2048 to 4096 bits (RFC 8301 §3.2) or Ed25519. The error is a sentence. A lower
  /// `min_rsa_bits` is for old conformance cases only.
  static std::expected<PrivateKey, std::string> parse(std::string_view pem,
                                                      int min_rsa_bits = kMinRsaBits);

  static std::expected<PrivateKey, std::string> generate(KeyType type);  ///< RSA-2048

  KeyType type() const { return type_; }

  std::string private_pem() const;  ///< PKCS #8

  /// TXT record: "v=DKIM1; k=rsa; p=…".
  std::string dns_record() const;

  /// Raw signature over the SHA-256 `hash` (32 octets) of the header; "" when OpenSSL fails.
  /// Ed25519 signs the hash itself (RFC 8463 §3).
  std::string sign_hash(std::string_view hash) const;

 private:
  PrivateKey(std::shared_ptr<evp_pkey_st> key, KeyType type);

  std::shared_ptr<evp_pkey_st> key_;
  /// For RSA: a context ready to sign, which is only copied, since preparing one costs twenty times
  /// as much as a copy.
  std::shared_ptr<evp_pkey_ctx_st> prepared_;
  KeyType type_;
};

/// A TXT record as a zone file line: strings of at most 255 octets.
std::string zone_line(const std::string& owner, const std::string& record);

}  // namespace relay::auth::dkim
