#pragma once

#include <expected>
#include <string>

#include "relay/base/task.hpp"

namespace relay::ports {

enum class SignError { NoKey, CryptoFailed };

/// Puts our signatures on a message whose content has passed through.
struct SignRequest {
  std::string header_block;  ///< original header fields, CRLF-terminated, trace fields excluded
  std::string relaxed_body_sha256;  ///< 32 octets: SHA-256 of the relaxed-canonicalised body
  std::string from_domain;          ///< folded domain of the single From mailbox; "" when unclear
  std::int64_t now_unix = 0;
  bool own_message = false;  ///< a DSN: its author is this host
};

class Signer {
 public:
  virtual ~Signer() = default;

  /// DKIM-Signature fields to put in front, CRLF-terminated; "" when policy says not to sign.
  /// CPU-heavy: runs on the signing pool and resumes the caller on its own shard.
  virtual base::Task<std::expected<std::string, SignError>> sign(SignRequest request) = 0;
};

}  // namespace relay::ports
