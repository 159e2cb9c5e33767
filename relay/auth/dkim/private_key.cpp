#include "relay/auth/dkim/private_key.hpp"

#include <array>
#include <vector>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "relay/auth/dkim/base64.hpp"
#include "relay/base/pem.hpp"

namespace relay::auth::dkim {

namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Context = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;

std::shared_ptr<EVP_PKEY> owned(EVP_PKEY* key) { return {key, EVP_PKEY_free}; }

std::string contents(BIO* bio) {
  char* octets = nullptr;
  const long size = BIO_get_mem_data(bio, &octets);
  return {octets, static_cast<std::size_t>(size)};
}

/// A context that signs SHA-256 digests by RSASSA-PKCS1-v1_5 (RFC 8017 §8.2); null if OpenSSL
/// fails.
std::shared_ptr<EVP_PKEY_CTX> prepared_to_sign(EVP_PKEY* key) {
  std::shared_ptr<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new(key, nullptr), EVP_PKEY_CTX_free);
  if (!context || EVP_PKEY_sign_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1 ||
      EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) != 1) {
    return nullptr;
  }
  return context;
}

std::string public_part(EVP_PKEY* key, KeyType type) {
  if (type == KeyType::Ed25519) {
    std::array<unsigned char, 32> raw{};
    std::size_t size = raw.size();
    EVP_PKEY_get_raw_public_key(key, raw.data(), &size);
    return {reinterpret_cast<const char*>(raw.data()), size};
  }
  const Bio bio(BIO_new(BIO_s_mem()), BIO_free);
  i2d_PUBKEY_bio(bio.get(), key);
  return contents(bio.get());
}

}  // namespace

PrivateKey::PrivateKey(std::shared_ptr<EVP_PKEY> key, KeyType type)
    : key_(std::move(key)),
      prepared_(type == KeyType::Rsa ? prepared_to_sign(key_.get()) : nullptr),
      type_(type) {}

std::string zone_line(const std::string& owner, const std::string& record) {
  std::string line = owner + ". IN TXT (";
  for (std::size_t at = 0; at < record.size(); at += 255) {
    line += fmt::format(" \"{}\"", record.substr(at, 255));
  }
  return line + " )";
}

std::expected<PrivateKey, std::string> PrivateKey::parse(std::string_view pem, int min_rsa_bits) {
  auto key = base::private_key_of(pem);
  if (!key) return std::unexpected("not an unencrypted private key in PEM form");
  if (EVP_PKEY_is_a(key.get(), "ED25519")) return PrivateKey(std::move(key), KeyType::Ed25519);
  if (!EVP_PKEY_is_a(key.get(), "RSA")) return std::unexpected("neither an RSA nor an Ed25519 key");
  const int bits = EVP_PKEY_get_bits(key.get());
  if (bits < min_rsa_bits || bits > kMaxRsaBits) {
    return std::unexpected(fmt::format("an RSA key of {} bits; RFC 8301 wants {} to {}", bits,
                                       min_rsa_bits, kMaxRsaBits));
  }
  return PrivateKey(std::move(key), KeyType::Rsa);
}

std::expected<PrivateKey, std::string> PrivateKey::generate(KeyType type) {
  EVP_PKEY* key = type == KeyType::Rsa
                      ? EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{kMinRsaBits})
                      : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  if (!key) return std::unexpected("key generation failed");
  return PrivateKey(owned(key), type);
}

std::string PrivateKey::private_pem() const {
  const Bio bio(BIO_new(BIO_s_secmem()), BIO_free);
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return contents(bio.get());
}

std::string PrivateKey::dns_record() const {
  return fmt::format("v=DKIM1; k={}; p={}", type_ == KeyType::Rsa ? "rsa" : "ed25519",
                     base64(public_part(key_.get(), type_)));
}

std::string PrivateKey::sign_hash(std::string_view hash) const {
  const auto* octets = reinterpret_cast<const unsigned char*>(hash.data());
  std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())), '\0');
  auto* out = reinterpret_cast<unsigned char*>(signature.data());
  std::size_t size = signature.size();
  if (type_ == KeyType::Ed25519) {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          EVP_MD_CTX_free);
    if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
        EVP_DigestSign(context.get(), out, &size, octets, hash.size()) != 1) {
      return {};
    }
  } else {
    const Context context(prepared_ ? EVP_PKEY_CTX_dup(prepared_.get()) : nullptr,
                          EVP_PKEY_CTX_free);
    if (!context || EVP_PKEY_sign(context.get(), out, &size, octets, hash.size()) != 1) {
      return {};
    }
  }
  signature.resize(size);
  return signature;
}

}  // namespace relay::auth::dkim
