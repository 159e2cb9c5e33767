// SHA-256, the only hash of DKIM in use (RFC 8301 §3.1). Throws when OpenSSL fails: that is no
// condition of the world, but a broken installation.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace relay::auth::dkim {

inline constexpr std::size_t kDigestOctets = 32;

class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  void update(std::string_view octets);

  /// The digest of what has been taken so far; more may follow.
  std::string digest() const;

 private:
  struct FreeContext {
    void operator()(evp_md_ctx_st* context) const;
  };

  std::unique_ptr<evp_md_ctx_st, FreeContext> context_;
};

std::string sha256(std::string_view octets);

}  // namespace relay::auth::dkim
