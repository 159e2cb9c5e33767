#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "relay/base/task.hpp"
#include "relay/mail/authentication.hpp"
#include "relay/mail/header.hpp"

namespace relay::ports {

enum class SignError {
  NoKey,
  CryptoFailed,
  SelfCheckFailed,  ///< what was made does not verify: it must not leave
};

/// What our ARC set is to say (RFC 8617).
struct SealRequest {
  std::string results;  ///< value of our Authentication-Results field, without CRLF at its end
  mail::ArcResult chain = mail::ArcResult::None;  ///< the verdict about the chain as received
};

/// Puts our signatures on a message whose content has passed through.
struct SignRequest {
  mail::HeaderPtr header;           ///< as it came, without our trace fields; never null
  std::string relaxed_body_sha256;  ///< 32 octets: SHA-256 of the relaxed-canonicalised body
  std::string from_domain;          ///< folded domain of the single From mailbox; "" when unclear
  std::int64_t now_unix = 0;
  /// How long our DKIM-Signatures hold (x=); nullopt: for ever. An ARC set has no x= (RFC 8617).
  std::optional<std::chrono::seconds> lifetime = {};
  bool own_message = false;         ///< a DSN, or From in a domain of ours: an aligned domain signs
  bool unsigned_dkim = false;       ///< no DKIM-Signature, only what else is asked for
  std::optional<SealRequest> seal;  ///< asks for an ARC set as well
};

/// Header fields to put in front, CRLF-terminated.
struct Signatures {
  std::string dkim_fields;  ///< DKIM-Signature fields; "" when policy says not to sign
  /// ARC set that covers the DKIM-Signature fields, too, and stands above them; "" when none was
  /// asked for, there is no key for it, or the chain must not be continued (RFC 8617 §5.1).
  std::string arc_fields;
};

class Signer {
 public:
  virtual ~Signer() = default;

  /// d= of the signature that a message with this from_domain would get; "": none.
  virtual std::string domain_for(const std::string& from_domain) const = 0;

  /// One job for all signatures of a message.
  /// CPU-heavy: runs on the signing pool and resumes the caller on its own shard.
  virtual base::Task<std::expected<Signatures, SignError>> sign(SignRequest request) = 0;
};

}  // namespace relay::ports
