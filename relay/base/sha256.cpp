#include "relay/base/sha256.hpp"

#include <new>

#include <openssl/evp.h>

namespace relay::base {

namespace {

/// Fetched once: the implicit lookup behind EVP_sha256() takes a lock each time.
const EVP_MD* method() {
  static EVP_MD* const kMethod = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return kMethod;
}

void demand(int result) {
  if (result != 1) throw std::bad_alloc();
}

std::string finished(EVP_MD_CTX* context) {
  std::string octets(kSha256Octets, '\0');
  demand(EVP_DigestFinal_ex(context, reinterpret_cast<unsigned char*>(octets.data()), nullptr));
  return octets;
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
  return finished(copy.get());
}

std::string Sha256::finish() { return finished(context_.get()); }

std::string sha256(std::string_view octets) {
  Sha256 hash;
  hash.update(octets);
  return hash.finish();
}

}  // namespace relay::base
