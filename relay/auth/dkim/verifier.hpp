// Verifies the DKIM signatures of a message while it streams in (RFC 6376 §6). Independent of DMARC
// and of what is done with the verdicts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "relay/auth/dkim/body_hashes.hpp"
#include "relay/auth/dkim/key_source.hpp"
#include "relay/auth/dkim/signature_field.hpp"
#include "relay/base/task.hpp"
#include "relay/base/time.hpp"
#include "relay/mail/address.hpp"
#include "relay/mail/authentication.hpp"
#include "relay/mail/header.hpp"
#include "relay/ports/resolver.hpp"

namespace relay::auth::dkim {

/// Signatures beyond this number are reported, but not verified.
inline constexpr std::size_t kMaxVerified = 10;

/// Ordinary clock difference in seconds: how far x= may be in the past and t= in the future without
/// any consequence (RFC 6376 §3.5).
inline constexpr std::int64_t kClockSkewSeconds = 300;

/// How many seconds t= may be in the future at all. A verifier MAY ignore signatures dated in the
/// future (RFC 6376 §3.5), but a wrong clock or time zone of the signer is no sign of forgery,
/// since only the signer can write t=. So beyond kClockSkewSeconds the signature is reported as
/// passing and `dated_ahead`: it vouches for nobody, and the message is not refused. A difference
/// of more than a day is not explained by clocks.
inline constexpr std::int64_t kMaxSecondsAhead = 86'400;

/// One message. Construct it when the header is complete; fetch_key() may run while the body
/// arrives; finish() from the end of the body on.
///
/// Worst-case cost: the header is canonicalised kMaxVerified times, the body is hashed once for
/// each canonical form (BodyHashes), kMaxVerified keys are looked up, and kMaxVerified *
/// kMaxKeyRecords signatures are verified on the caller's thread: some 40 µs each with an RSA key
/// of 2048 bits, 0.1 ms with Ed25519, 8 ms in all for the worst message possible.
class Verification {
 public:
  /// Reads the DKIM-Signature fields of `header`, which is not used after this call, and registers
  /// in `hashes` the body hashes that they need. Of the well-formed signatures those of an author's
  /// domain, or of one above or below it, are verified first, then the others, topmost first.
  Verification(const mail::Header& header, BodyHashes& hashes);
  Verification(const Verification&) = delete;
  Verification& operator=(const Verification&) = delete;

  /// Number of distinct keys to look up.
  std::size_t lookups() const { return lookups_.size(); }

  /// Whether a signature with this key could be aligned with an author; true if the authors are not
  /// known. A signature that could not be aligned decides nothing.
  bool may_align(std::size_t number, const std::vector<mail::Domain>& authors) const;

  /// Looks up one key; several may be under way at once. A key that was not fetched gives
  /// TempError.
  base::Task<> fetch_key(std::size_t number, ports::Resolver& resolver, base::Deadline deadline);

  /// The distinct d= of the signatures to verify: domains that may vouch for the message.
  std::vector<std::string> domains() const;

  /// `hashes` are those given to the constructor, finished. May be called again when more keys have
  /// been looked up: each signature is computed once. One verdict per field, topmost first:
  ///   Pass
  ///   Fail       the body or the header is not what was signed
  ///   Policy     valid, but l= leaves a part of the body unsigned; or not verified, because there
  ///              are too many signatures ("limit")
  ///   TempError  the key could not be looked up for now
  ///   PermError  every PERMFAIL of RFC 6376 §6.1: syntax, key unusable or missing, expired or
  ///              dated in the future; also rsa-sha1 and RSA keys of a wrong size, which "have
  ///              permanently failed evaluation" (RFC 8301 §3). For some of these RFC 8601 §2.7.1
  ///              has neutral, but other verifiers report them all as permerror.
  std::vector<mail::DkimVerdict> finish(const BodyHashes& hashes, base::WallTime now);

 private:
  /// A signature to be verified.
  struct Candidate {
    SignatureField field;
    std::string header_hash;    ///< of the signed fields and the signature field itself
    std::size_t body_hash = 0;  ///< number in BodyHashes
    std::size_t lookup = 0;     ///< index in lookups_
  };

  struct Entry {
    mail::DkimVerdict verdict;
    std::optional<Candidate> candidate;  ///< until the verdict is final
  };

  struct Lookup {
    std::string selector;
    std::string domain;
    std::expected<FetchedKey, KeyProblem> answer =
        std::unexpected(KeyProblem{.temporary = true, .text = "key was not looked up"});
    bool has_ended = false;
  };

  /// A well-formed signature and the index of its entry.
  using Sound = std::pair<std::size_t, SignatureField>;

  std::vector<Sound> read(const std::vector<mail::HeaderField>& signatures);
  std::size_t lookup_for(const SignatureField& field);
  void judge_candidate(const Candidate& candidate, const BodyHashes& hashes, std::int64_t now,
                       mail::DkimVerdict& verdict) const;

  std::vector<Entry> entries_;
  std::vector<Lookup> lookups_;
};

}  // namespace relay::auth::dkim
