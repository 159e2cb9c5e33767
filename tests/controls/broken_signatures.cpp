#include "tests/controls/broken_signatures.hpp"

#include <atomic>

#include <openssl/evp.h>

// The names are the linker's.
// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
extern "C" {
int __real_EVP_PKEY_sign(EVP_PKEY_CTX* context, unsigned char* signature, std::size_t* size,
                         const unsigned char* hash, std::size_t hash_size);
int __real_EVP_DigestSign(EVP_MD_CTX* context, unsigned char* signature, std::size_t* size,
                          const unsigned char* octets, std::size_t count);
int __wrap_EVP_PKEY_sign(EVP_PKEY_CTX* context, unsigned char* signature, std::size_t* size,
                         const unsigned char* hash, std::size_t hash_size);
int __wrap_EVP_DigestSign(EVP_MD_CTX* context, unsigned char* signature, std::size_t* size,
                          const unsigned char* octets, std::size_t count);
}

namespace relay::controls {

namespace {

std::atomic<bool> are_broken{false};

/// A null signature asks for the size alone.
void perhaps_break(int made, unsigned char* signature, const std::size_t* size) {
  if (are_broken && made == 1 && signature != nullptr) signature[*size - 1] ^= 1U;
}

}  // namespace

void break_signatures(bool broken) { are_broken = broken; }

}  // namespace relay::controls

int __wrap_EVP_PKEY_sign(EVP_PKEY_CTX* context, unsigned char* signature, std::size_t* size,
                         const unsigned char* hash, std::size_t hash_size) {
  const int made = __real_EVP_PKEY_sign(context, signature, size, hash, hash_size);
  relay::controls::perhaps_break(made, signature, size);
  return made;
}

int __wrap_EVP_DigestSign(EVP_MD_CTX* context, unsigned char* signature, std::size_t* size,
                          const unsigned char* octets, std::size_t count) {
  const int made = __real_EVP_DigestSign(context, signature, size, octets, count);
  relay::controls::perhaps_break(made, signature, size);
  return made;
}

// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
