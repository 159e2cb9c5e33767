// The body hash of a DKIM signature, computed while the message comes in, so that signing never
// reads the body again. Knows nothing of headers, keys or SMTP.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace relay::auth {

/// SHA-256 of the body in relaxed canonicalisation (RFC 6376 §3.4.4), streaming: any division of
/// the body into chunks gives the same hash. Memory is constant (one block of 4 KiB).
/// The body starts after the empty line that ends the header. A bare CR or LF is an ordinary octet;
/// our server refuses messages that have one.
class RelaxedBodyHash {
 public:
  RelaxedBodyHash();
  RelaxedBodyHash(RelaxedBodyHash&&) noexcept;
  RelaxedBodyHash& operator=(RelaxedBodyHash&&) noexcept;
  ~RelaxedBodyHash();

  void update(std::string_view octets);

  /// The 32 octets of the hash. To be called once, after the last update().
  std::string finish();

 private:
  struct FreeContext {
    void operator()(evp_md_ctx_st* context) const;
  };

  void line_part(std::string_view part);
  void squeeze(std::string_view part);
  void emit(std::string_view octets);
  void append(std::string_view octets);
  void hash(std::string_view octets);

  std::unique_ptr<evp_md_ctx_st, FreeContext> context_;
  std::string block_;                ///< canonical octets not hashed yet
  std::uint64_t pending_crlfs_ = 0;  ///< line ends kept back: empty lines at the end do not count
  bool pending_space_ = false;       ///< white space kept back: at the end of a line it vanishes
  bool pending_cr_ = false;          ///< last octet of a chunk; LF may follow in the next
  bool any_ = false;                 ///< something was emitted, so the body is not empty
};

}  // namespace relay::auth
