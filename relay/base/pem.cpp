#include "relay/base/pem.hpp"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

namespace relay::base {

namespace {

/// One block of a PEM text, wiped when it dies.
struct Block {
  Block() = default;
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  ~Block() {
    OPENSSL_secure_clear_free(name, name == nullptr ? 0 : std::string_view(name).size());
    OPENSSL_secure_clear_free(header, header == nullptr ? 0 : std::string_view(header).size());
    OPENSSL_secure_clear_free(octets, static_cast<std::size_t>(size));
  }

  bool read(BIO* bio) {
    return PEM_read_bio_ex(bio, &name, &header, &octets, &size, PEM_FLAG_SECURE) == 1;
  }

  bool is_private_key() const { return std::string_view(name).ends_with("PRIVATE KEY"); }

  bool is_encrypted() const { return *header != '\0'; }

  char* name = nullptr;
  char* header = nullptr;
  unsigned char* octets = nullptr;
  long size = 0;
};

}  // namespace

std::shared_ptr<evp_pkey_st> private_key_of(std::string_view pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  std::shared_ptr<evp_pkey_st> key;
  while (!key) {
    Block block;
    if (!block.read(bio.get())) break;
    if (!block.is_private_key()) continue;  // as "EC PARAMETERS"
    if (block.is_encrypted()) break;
    const unsigned char* at = block.octets;
    if (EVP_PKEY* found = d2i_AutoPrivateKey(nullptr, &at, block.size)) {
      key = {found, EVP_PKEY_free};
    } else {
      break;
    }
  }
  if (!key) ERR_clear_error();
  return key;
}

}  // namespace relay::base
