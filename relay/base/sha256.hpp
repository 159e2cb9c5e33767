// SHA-256: for DKIM signatures (RFC 8301 §3.1), to detect damage in the queue, and to recognise a
// message that arrives again. Throws std::bad_alloc when OpenSSL fails: these calls fail only for
// lack of memory, which ends a session and not the process.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace relay::base {

inline constexpr std::size_t kSha256Octets = 32;

/// Hashes content that arrives in pieces.
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  void update(std::string_view octets);

  /// The digest of all octets so far; more may follow.
  std::string digest() const;

  /// The digest of all octets. No call may follow.
  std::string finish();

 private:
  struct FreeContext {
    void operator()(evp_md_ctx_st* context) const;
  };

  std::unique_ptr<evp_md_ctx_st, FreeContext> context_;
};

std::string sha256(std::string_view octets);

}  // namespace relay::base
