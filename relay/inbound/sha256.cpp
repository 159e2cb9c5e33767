#include "relay/inbound/sha256.hpp"

#include <new>

namespace relay::inbound {

namespace {

/// Fetched once: the implicit lookup behind EVP_sha256() takes a lock each time.
const EVP_MD* method() {
  static EVP_MD* const kMethod = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return kMethod;
}

}  // namespace

// OpenSSL fails here only for want of memory: X-10, the session ends, not the process.
Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_DigestInit_ex(context_.get(), method(), nullptr) != 1) {
    throw std::bad_alloc();
  }
}

void Sha256::update(std::string_view octets) {
  if (EVP_DigestUpdate(context_.get(), octets.data(), octets.size()) != 1) throw std::bad_alloc();
}

std::string Sha256::finish() {
  std::string digest(32, '\0');
  unsigned length = 0;
  if (EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()),
                         &length) != 1 ||
      length != digest.size()) {
    throw std::bad_alloc();
  }
  return digest;
}

}  // namespace relay::inbound
