// The cryptography of a message on contexts and keys that are ready, and nothing else: OpenSSL
// alone.
#pragma once

#include <array>
#include <memory>
#include <stdexcept>
#include <string_view>

#include <openssl/evp.h>
#include <openssl/rsa.h>

namespace relay::bench {

inline void demand(int result) {
  if (result != 1) throw std::runtime_error("OpenSSL failed");
}

class CryptoFloor {
 public:
  CryptoFloor() {
    rsa_.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}));
    ed25519_.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    signing_ = context(&EVP_PKEY_sign_init);
    verifying_ = context(&EVP_PKEY_verify_init);
    sign_rsa();
    sign_ed25519();
  }

  /// SHA-256.
  void digest(std::string_view octets) {
    demand(EVP_DigestInit_ex(digesting_.get(), sha256_.get(), nullptr));
    demand(EVP_DigestUpdate(digesting_.get(), octets.data(), octets.size()));
    demand(EVP_DigestFinal_ex(digesting_.get(), hash_.data(), nullptr));
  }

  void sign_rsa() {
    std::size_t size = rsa_signature_.size();
    demand(EVP_PKEY_sign(signing_.get(), rsa_signature_.data(), &size, hash_.data(), hash_.size()));
    signed_hash_ = hash_;
  }

  void verify_rsa() {
    demand(EVP_PKEY_verify(verifying_.get(), rsa_signature_.data(), rsa_signature_.size(),
                           signed_hash_.data(), signed_hash_.size()));
  }

  /// Ed25519 has no context that could be used again.
  void sign_ed25519() {
    std::size_t size = ed25519_signature_.size();
    const Digesting once(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    demand(EVP_DigestSignInit(once.get(), nullptr, nullptr, nullptr, ed25519_.get()));
    demand(
        EVP_DigestSign(once.get(), ed25519_signature_.data(), &size, hash_.data(), hash_.size()));
    ed25519_hash_ = hash_;
  }

  void verify_ed25519() {
    const Digesting once(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    demand(EVP_DigestVerifyInit(once.get(), nullptr, nullptr, nullptr, ed25519_.get()));
    demand(EVP_DigestVerify(once.get(), ed25519_signature_.data(), ed25519_signature_.size(),
                            ed25519_hash_.data(), ed25519_hash_.size()));
  }

 private:
  using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
  using Context = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;
  using Digesting = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
  using Hash = std::array<unsigned char, 32>;

  Context context(int (*init)(EVP_PKEY_CTX*)) const {
    Context made(EVP_PKEY_CTX_new(rsa_.get(), nullptr), EVP_PKEY_CTX_free);
    demand(init(made.get()));
    demand(EVP_PKEY_CTX_set_rsa_padding(made.get(), RSA_PKCS1_PADDING));
    demand(EVP_PKEY_CTX_set_signature_md(made.get(), EVP_sha256()));
    return made;
  }

  Key rsa_{nullptr, EVP_PKEY_free};
  Key ed25519_{nullptr, EVP_PKEY_free};
  Context signing_{nullptr, EVP_PKEY_CTX_free};
  Context verifying_{nullptr, EVP_PKEY_CTX_free};
  std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> sha256_{EVP_MD_fetch(nullptr, "SHA256", nullptr),
                                                          EVP_MD_free};
  Digesting digesting_{EVP_MD_CTX_new(), EVP_MD_CTX_free};
  Hash hash_{};
  Hash signed_hash_{};
  Hash ed25519_hash_{};
  std::array<unsigned char, 256> rsa_signature_{};
  std::array<unsigned char, 64> ed25519_signature_{};
};

}  // namespace relay::bench
