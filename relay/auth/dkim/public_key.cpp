#include "relay/auth/dkim/public_key.hpp"

#include <optional>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

namespace relay::auth::dkim {

namespace {

constexpr int kMinRsaBits = 1024;
constexpr int kMaxExponentBits = 32;
constexpr std::size_t kEd25519KeyOctets = 32;
// Enough for a modulus of 4096 bits with its encoding; longer keys are not even decoded.
constexpr std::size_t kMaxRsaKeyOctets = 8192;
constexpr std::uint16_t kEd25519Bits = 256;

using Key = std::shared_ptr<EVP_PKEY>;
using Number = std::unique_ptr<BIGNUM, decltype(&BN_free)>;
using Context = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

const unsigned char* unsigned_octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Number parameter(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) number = nullptr;
  return {number, BN_free};
}

constexpr char kSequence = '\x30';
constexpr char kBitString = '\x03';
// AlgorithmIdentifier of rsaEncryption with NULL parameters (RFC 3279 §2.3.1).
constexpr std::string_view kRsaEncryption{
    "\x30\x0D\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01\x05\x00", 15};

/// Removes a DER element with this tag from `der` and returns its content. Lengths up to 65,535,
/// which is enough for the keys allowed here.
std::optional<std::string_view> take_element(std::string_view& der, char tag) {
  if (der.size() < 2 || der.front() != tag) return std::nullopt;
  std::size_t length = static_cast<unsigned char>(der[1]);
  std::size_t begin = 2;
  if (length > 0x7F) {
    const std::size_t octets = length - 0x80;
    if (octets == 0 || octets > 2 || der.size() < begin + octets) return std::nullopt;
    for (length = 0; begin < 2 + octets; ++begin) {
      length = length << 8U | static_cast<unsigned char>(der[begin]);
    }
  }
  if (der.size() - begin < length) return std::nullopt;
  const std::string_view content = der.substr(begin, length);
  der.remove_prefix(begin + length);
  return content;
}

/// The RSAPublicKey inside a SubjectPublicKeyInfo of the usual form. OpenSSL's decoders could
/// extract it, too, but take five times as long as verifying the signature.
std::optional<std::string_view> bare_rsa_key(std::string_view der) {
  auto info = take_element(der, kSequence);
  if (!info || !der.empty() || !info->starts_with(kRsaEncryption)) return std::nullopt;
  info->remove_prefix(kRsaEncryption.size());
  const auto bits = take_element(*info, kBitString);
  if (!bits || !info->empty() || !bits->starts_with('\0')) return std::nullopt;
  return bits->substr(1);
}

/// The RSA key in `der`; null if there is none, or anything follows it.
Key decode_rsa(std::string_view der) {
  const auto bare = bare_rsa_key(der);
  if (bare) der = *bare;
  const unsigned char* at = unsigned_octets(der);
  const unsigned char* const end = at + der.size();
  const long size = static_cast<long>(der.size());
  Key key(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, size), EVP_PKEY_free);
  if (!key && !bare) {
    at = unsigned_octets(der);
    key.reset(d2i_PUBKEY(nullptr, &at, size), EVP_PKEY_free);
  }
  ERR_clear_error();
  if (!key || at != end || !EVP_PKEY_is_a(key.get(), "RSA")) return nullptr;
  return key;
}

std::optional<KeyFault> rsa_fault(const EVP_PKEY* key) {
  const Number modulus = parameter(key, OSSL_PKEY_PARAM_RSA_N);
  const Number exponent = parameter(key, OSSL_PKEY_PARAM_RSA_E);
  if (!modulus || !exponent) return KeyFault::Malformed;
  const int bits = BN_num_bits(modulus.get());
  if (bits < kMinRsaBits) return KeyFault::TooShort;
  if (bits > kMaxRsaBits) return KeyFault::TooLong;
  if (BN_is_odd(modulus.get()) == 0) return KeyFault::Malformed;
  const bool usual = BN_is_odd(exponent.get()) == 1 && BN_is_one(exponent.get()) == 0 &&
                     BN_num_bits(exponent.get()) <= kMaxExponentBits;
  if (!usual) return KeyFault::StrangeExponent;
  return std::nullopt;
}

bool verify_rsa(EVP_PKEY* key, std::string_view hash, std::string_view signature) {
  const Context context(EVP_PKEY_CTX_new(key, nullptr), EVP_PKEY_CTX_free);
  return context && EVP_PKEY_verify_init(context.get()) == 1 &&
         EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1 &&
         EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) == 1 &&
         EVP_PKEY_verify(context.get(), unsigned_octets(signature), signature.size(),
                         unsigned_octets(hash), hash.size()) == 1;
}

bool verify_ed25519(EVP_PKEY* key, std::string_view hash, std::string_view signature) {
  const DigestContext context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  return context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), unsigned_octets(signature), signature.size(),
                          unsigned_octets(hash), hash.size()) == 1;
}

}  // namespace

std::string_view describe(KeyFault fault) {
  switch (fault) {
    case KeyFault::Malformed:
      return "key cannot be read";
    case KeyFault::TooShort:
      return "RSA key below 1024 bits";
    case KeyFault::TooLong:
      return "RSA key above 4096 bits";
    case KeyFault::StrangeExponent:
      return "RSA key with a strange exponent";
  }
  return "bad key";
}

std::expected<PublicKey, KeyFault> PublicKey::parse(KeyType type, std::string_view octets) {
  if (type == KeyType::Rsa) return parse_rsa(octets);
  if (octets.size() != kEd25519KeyOctets) return std::unexpected(KeyFault::Malformed);
  Key key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, unsigned_octets(octets),
                                      octets.size()),
          EVP_PKEY_free);
  if (!key) return std::unexpected(KeyFault::Malformed);
  return PublicKey(std::move(key), type, kEd25519Bits);
}

std::expected<PublicKey, KeyFault> PublicKey::parse_rsa(std::string_view octets) {
  if (octets.size() > kMaxRsaKeyOctets) return std::unexpected(KeyFault::TooLong);
  Key key = decode_rsa(octets);
  if (!key) return std::unexpected(KeyFault::Malformed);
  if (const auto fault = rsa_fault(key.get())) return std::unexpected(*fault);
  const auto bits = static_cast<std::uint16_t>(EVP_PKEY_get_bits(key.get()));
  return PublicKey(std::move(key), KeyType::Rsa, bits);
}

bool PublicKey::verify_hash(std::string_view hash, std::string_view signature) const {
  const bool good = type_ == KeyType::Rsa ? verify_rsa(key_.get(), hash, signature)
                                          : verify_ed25519(key_.get(), hash, signature);
  if (!good) ERR_clear_error();
  return good;
}

}  // namespace relay::auth::dkim
