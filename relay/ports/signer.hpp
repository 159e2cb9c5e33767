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
  SelfCheckFailed,  ///< our own signature does not verify: the message must not leave
};

/// The content of our ARC set (RFC 8617).
struct SealRequest {
  std::string results;  ///< value of our Authentication-Results field, without final CRLF
  mail::ArcResult chain = mail::ArcResult::None;  ///< the verdict on the chain as received
};

/// Asks for our signatures on a message whose content has been read already.
struct SignRequest {
  mail::HeaderPtr header;           ///< as received, without our trace fields; never null
  std::string relaxed_body_sha256;  ///< 32 octets: SHA-256 of the relaxed-canonicalised body
  std::string from_domain;          ///< folded domain of the single From mailbox; "" when unclear
  std::int64_t now_unix = 0;
  /// How long our DKIM signatures are valid (x=); nullopt: without limit. ARC has no x= (RFC 8617).
  std::optional<std::chrono::seconds> lifetime = {};
  bool own_message = false;         ///< a DSN, or a From rewritten by us: an aligned domain signs
  bool unsigned_dkim = false;       ///< no DKIM-Signature, only what else is asked for
  std::optional<SealRequest> seal;  ///< set: an ARC set is wanted, too
};

/// Header fields to put in front, CRLF-terminated.
struct Signatures {
  std::string dkim_fields;  ///< DKIM-Signature fields; "" when policy says not to sign
  /// An ARC set, which also covers the DKIM-Signature fields and goes above them; "" when none was
  /// asked for, there is no key for it, or the chain must not be continued (RFC 8617 §5.1).
  std::string arc_fields;
};

class Signer {
 public:
  virtual ~Signer() = default;

  /// d= of the signature that a message with this from_domain would get; "": none.
  virtual std::string domain_for(const std::string& from_domain) const = 0;

  /// Makes all signatures of a message in one job. CPU-heavy: runs on the signing pool, and resumes
  /// the caller on its own shard.
  virtual base::Task<std::expected<Signatures, SignError>> sign(SignRequest request) = 0;
};

}  // namespace relay::ports
