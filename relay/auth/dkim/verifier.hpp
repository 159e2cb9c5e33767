// Verifies the DKIM signatures of a message while it streams in (RFC 6376 §6). Knows nothing of
// DMARC, nor of what is done with a verdict.
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

/// More signatures than these are reported, not verified.
inline constexpr std::size_t kMaxVerified = 10;

/// Clocks differ: how far x= may lie behind (RFC 6376 §3.5).
inline constexpr std::int64_t kClockSkewSeconds = 300;

/// How far t= may lie ahead. A verifier MAY ignore what is dated in the future (RFC 6376 §3.5), but
/// a clock that is wrong, or set to the wrong time zone, is no forgery: only the signer can write
/// t=. So up to a day the signature simply holds, for all purposes; beyond it nobody's clock is
/// meant.
inline constexpr std::int64_t kMaxSecondsAhead = 86'400;

/// One message. Made when its header is complete; fetch_key() may run while the body arrives;
/// finish() when both have ended.
///
/// What it may cost: the header is canonicalised at most kMaxVerified times, the body is hashed
/// once for each form (BodyHashes), at most kMaxVerified keys are looked up, and at most
/// kMaxVerified * kMaxKeyRecords signatures computed, inline: some 40 µs each with an RSA key of
/// 2048 bits, 0.1 ms with Ed25519, 8 ms in all for the worst message that can be made.
class Verification {
 public:
  /// Reads the DKIM-Signature fields of `header`, which is needed no longer than this call,
  /// and asks `hashes` for what they need. Verified are, of the well-formed signatures, first those
  /// of an author's domain or of one above or below it, then the others, topmost first.
  Verification(const mail::Header& header, BodyHashes& hashes);
  Verification(const Verification&) = delete;
  Verification& operator=(const Verification&) = delete;

  /// Number of keys to be looked up, each name once.
  std::size_t lookups() const { return lookups_.size(); }

  /// Whether a signature with that key could be aligned with an author; true as long as nobody
  /// knows who that is. One that could not decides nothing.
  bool may_align(std::size_t number, const std::vector<mail::Domain>& authors) const;

  /// Fetches one of them; all may be under way at once. What is not fetched makes TempError.
  base::Task<> fetch_key(std::size_t number, ports::Resolver& resolver, base::Deadline deadline);

  /// d= of the signatures that are verified, each once: who may turn out to vouch for the message.
  std::vector<std::string> domains() const;

  /// `hashes`: the ones given above, finished. One verdict a field, topmost first.
  /// Pass, or else:
  ///   Fail       the body or the header is not what was signed
  ///   Policy     valid, but l= leaves a part of the body unsigned; or not verified, because
  ///              there are too many ("limit")
  ///   TempError  the key could not be looked up just now
  ///   PermError  whatever RFC 6376 §6.1 calls PERMFAIL: syntax, unusable or missing key, expired
  ///              or dated in the future; also rsa-sha1 and RSA keys of a wrong size, which "have
  ///              permanently failed evaluation" (RFC 8301 §3). RFC 8601 §2.7.1 has neutral for
  ///              some of these; one name for all is what the other verifiers use.
  std::vector<mail::DkimVerdict> finish(const BodyHashes& hashes, base::WallTime now) const;

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
    std::optional<Candidate> candidate;
  };

  struct Lookup {
    std::string selector;
    std::string domain;
    std::expected<FetchedKey, KeyProblem> answer =
        std::unexpected(KeyProblem{.temporary = true, .text = "key was not looked up"});
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
