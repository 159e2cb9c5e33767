#include "relay/auth/dkim/digest.hpp"

#include <stdexcept>

#include <openssl/evp.h>

namespace relay::auth::dkim {

namespace {

/// Fetched once: the implicit lookup behind EVP_sha256() takes a lock each time.
const EVP_MD* method() {
  static EVP_MD* const kMethod = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return kMethod;
}

void demand(int result) {
  if (result != 1) throw std::runtime_error("OpenSSL failed to compute a SHA-256");
}

}  // namespace

void Sha256::FreeContext::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  demand(context_ ? EVP_DigestInit_ex(context_.get(), method(), nullptr) : 0);
}

Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::string_view octets) {
  if (!octets.empty()) demand(EVP_DigestUpdate(context_.get(), octets.data(), octets.size()));
}

std::string Sha256::digest() const {
  const std::unique_ptr<EVP_MD_CTX, FreeContext> copy(EVP_MD_CTX_new());
  demand(copy ? EVP_MD_CTX_copy_ex(copy.get(), context_.get()) : 0);
  std::string octets(kDigestOctets, '\0');
  demand(EVP_DigestFinal_ex(copy.get(), reinterpret_cast<unsigned char*>(octets.data()), nullptr));
  return octets;
}

std::string sha256(std::string_view octets) {
  Sha256 hash;
  hash.update(octets);
  return hash.digest();
}

}  // namespace relay::auth::dkim
