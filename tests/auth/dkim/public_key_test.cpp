// Weak and strange keys. Moduli of odd sizes are random numbers: a key is refused before anybody
// could notice.
#include "relay/auth/dkim/public_key.hpp"

#include <memory>

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "relay/auth/dkim/base64.hpp"
#include "relay/auth/dkim/key_record.hpp"
#include "relay/auth/dkim/private_key.hpp"
#include "relay/base/sha256.hpp"

namespace relay::auth::dkim {
namespace {

template <class T, auto Free>
using Owned = std::unique_ptr<T, decltype([](T* thing) { Free(thing); })>;

/// SubjectPublicKeyInfo of an RSA key with that exponent (hexadecimal) and a modulus of `bits`.
std::string rsa_der(int bits, const char* exponent, bool bare = false) {
  const Owned<BIGNUM, BN_free> n(BN_new());
  BN_rand(n.get(), bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
  BIGNUM* number = nullptr;
  BN_hex2bn(&number, exponent);
  const Owned<BIGNUM, BN_free> e(number);
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> build(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  const Owned<OSSL_PARAM, OSSL_PARAM_free> parameters(OSSL_PARAM_BLD_to_param(build.get()));
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY_fromdata_init(context.get());
  EVP_PKEY* made = nullptr;
  EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get());
  const Owned<EVP_PKEY, EVP_PKEY_free> key(made);
  unsigned char* octets = nullptr;
  const int size = bare ? i2d_PublicKey(key.get(), &octets) : i2d_PUBKEY(key.get(), &octets);
  std::string der(reinterpret_cast<const char*>(octets), static_cast<std::size_t>(size));
  OPENSSL_free(octets);
  return der;
}

constexpr const char* kUsual = "010001";

TEST(PublicKeyZoo, RefusesRsaKeysOfAWrongSize) {
  for (const int bits : {512, 768, 1023}) {
    EXPECT_EQ(PublicKey::parse(KeyType::Rsa, rsa_der(bits, kUsual)).error(), KeyFault::TooShort);
  }
  for (const int bits : {4097, 8192, 16384}) {
    EXPECT_EQ(PublicKey::parse(KeyType::Rsa, rsa_der(bits, kUsual)).error(), KeyFault::TooLong);
  }
  EXPECT_EQ(PublicKey::parse(KeyType::Rsa, std::string(100'000, 'x')).error(), KeyFault::TooLong);
  for (const int bits : {1024, 1536, 2048, 4096}) {
    const auto key = PublicKey::parse(KeyType::Rsa, rsa_der(bits, kUsual));
    ASSERT_TRUE(key) << bits;
    EXPECT_EQ(key->bits(), bits);
  }
}

TEST(PublicKeyZoo, RefusesStrangeExponents) {
  for (const char* exponent : {"01", "00", "02", "010000", "0100000001", "FFFFFFFFFFFFFFFFFF"}) {
    const auto key = PublicKey::parse(KeyType::Rsa, rsa_der(2048, exponent));
    ASSERT_FALSE(key) << exponent;
    EXPECT_EQ(key.error(), KeyFault::StrangeExponent) << exponent;
  }
  for (const char* exponent : {"03", "11", "010001", "FFFFFFFF"}) {
    EXPECT_TRUE(PublicKey::parse(KeyType::Rsa, rsa_der(2048, exponent))) << exponent;
  }
}

TEST(PublicKeyZoo, RefusesWhatIsNoKeyOfItsType) {
  const std::string der = rsa_der(2048, kUsual);
  EXPECT_EQ(PublicKey::parse(KeyType::Rsa, der.substr(0, der.size() - 1)).error(),
            KeyFault::Malformed);
  EXPECT_EQ(PublicKey::parse(KeyType::Rsa, der + "x").error(), KeyFault::Malformed)
      << "something behind the key";
  EXPECT_EQ(PublicKey::parse(KeyType::Rsa, "BARF").error(), KeyFault::Malformed);
  EXPECT_EQ(PublicKey::parse(KeyType::Rsa, "").error(), KeyFault::Malformed);
  // A whole SubjectPublicKeyInfo of Ed25519 and of ECDSA.
  for (const char* name : {"ED25519", "DSA-like"}) {
    const Owned<EVP_PKEY, EVP_PKEY_free> other(
        std::string_view(name) == "ED25519" ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")
                                            : EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    unsigned char* octets = nullptr;
    const int size = i2d_PUBKEY(other.get(), &octets);
    const std::string_view info(reinterpret_cast<const char*>(octets),
                                static_cast<std::size_t>(size));
    EXPECT_EQ(PublicKey::parse(KeyType::Rsa, info).error(), KeyFault::Malformed) << name;
    EXPECT_EQ(PublicKey::parse(KeyType::Ed25519, info).error(), KeyFault::Malformed) << name;
    OPENSSL_free(octets);
  }
  for (const std::size_t size : {0UL, 1UL, 31UL, 33UL, 64UL}) {
    EXPECT_EQ(PublicKey::parse(KeyType::Ed25519, std::string(size, 'k')).error(),
              KeyFault::Malformed);
  }
}

TEST(PublicKey, TakesBothFormsOfAnRsaKey) {
  EXPECT_TRUE(PublicKey::parse(KeyType::Rsa, rsa_der(2048, kUsual, false)));
  EXPECT_TRUE(PublicKey::parse(KeyType::Rsa, rsa_der(2048, kUsual, true)));
}

TEST(PublicKey, VerifiesWhatItsPrivateHalfSigned) {
  for (const KeyType type : {KeyType::Rsa, KeyType::Ed25519}) {
    const auto made = PrivateKey::generate(type);
    ASSERT_TRUE(made);
    const auto record = parse_key_record(made->dns_record());
    ASSERT_TRUE(record);
    const auto key = PublicKey::parse(record->type, record->key);
    ASSERT_TRUE(key);
    EXPECT_EQ(key->bits(), type == KeyType::Rsa ? 2048 : 256);
    const std::string hash = base::sha256("text");
    std::string signature = made->sign_hash(hash);
    EXPECT_TRUE(key->verify_hash(hash, signature));
    EXPECT_FALSE(key->verify_hash(base::sha256("other"), signature));
    EXPECT_FALSE(key->verify_hash(hash, signature.substr(1)));
    EXPECT_FALSE(key->verify_hash(hash, signature + "x"));
    EXPECT_FALSE(key->verify_hash(hash, ""));
    signature.back() = static_cast<char>(signature.back() ^ 1);
    EXPECT_FALSE(key->verify_hash(hash, signature));
  }
}

}  // namespace
}  // namespace relay::auth::dkim
