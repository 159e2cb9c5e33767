// SHA-256: what DKIM signs with (RFC 8301 §3.1), what the queue finds damage by, and what a message
// that comes again is recognised by. Throws std::bad_alloc when OpenSSL fails: here it does so for
// want of memory alone, which ends a session and not the process.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace relay::base {

inline constexpr std::size_t kSha256Octets = 32;

/// Over what passes by.
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  void update(std::string_view octets);

  /// The digest of what has been taken so far; more may follow.
  std::string digest() const;

  /// The digest of all. The last call.
  std::string finish();

 private:
  struct FreeContext {
    void operator()(evp_md_ctx_st* context) const;
  };

  std::unique_ptr<evp_md_ctx_st, FreeContext> context_;
};

std::string sha256(std::string_view octets);

}  // namespace relay::base
