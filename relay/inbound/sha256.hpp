// SHA-256 over what passes by.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/evp.h>

namespace relay::inbound {

class Sha256 {
 public:
  Sha256();

  void update(std::string_view octets);

  /// The 32 octets. To be called once.
  std::string finish();

 private:
  struct FreeContext {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };

  std::unique_ptr<EVP_MD_CTX, FreeContext> context_;
};

}  // namespace relay::inbound
