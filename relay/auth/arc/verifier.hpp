// Verifies the ARC chain of a message while it streams in (RFC 8617 §5.2). Decides nothing about
// trust: a valid chain only proves who has sealed it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/auth/arc/tags.hpp"
#include "relay/auth/dkim/body_hashes.hpp"
#include "relay/auth/dkim/key_source.hpp"
#include "relay/base/task.hpp"
#include "relay/base/time.hpp"
#include "relay/mail/authentication.hpp"
#include "relay/ports/resolver.hpp"

namespace relay::auth::arc {

/// A chain that needs more distinct keys than this is treated as failed: no honest chain has so
/// many sealers, and each key costs a lookup in a foreign DNS.
inline constexpr std::size_t kMaxKeyLookups = 12;

/// Older ARC-Message-Signatures that are verified at most. They matter for oldest_pass only.
inline constexpr std::size_t kMaxOlderSignatures = 10;

/// One message. Construct it when the header is complete; fetch_keys() may run while the body
/// arrives, fetch_older_keys() after it, and finish() when both have ended.
///
/// Worst-case cost: the header is canonicalised eleven times, the seals of 50 sets over 128 KiB are
/// some 3 MiB of SHA-256 input, twelve keys are looked up, and 61 signatures are verified (each up
/// to dkim::kMaxKeyRecords times, if its selector has so many records).
class Verification {
 public:
  /// Reads the ARC fields of `header`, which is not used after this call, and registers in `hashes`
  /// the body hashes that they need; before the first update().
  Verification(const mail::Header& header, dkim::BodyHashes& hashes);
  Verification(const Verification&) = delete;
  Verification& operator=(const Verification&) = delete;

  /// Looks up the keys that decide whether the chain is valid, newest set first, each key once;
  /// stops as soon as the chain cannot be valid. Does nothing if there is no chain or it is not
  /// well-formed.
  base::Task<> fetch_keys(ports::Resolver& resolver, base::Deadline deadline);

  /// After fetch_keys(): looks up the keys of older message signatures, for oldest_pass only. Does
  /// nothing if a key of the chain is missing.
  base::Task<> fetch_older_keys(ports::Resolver& resolver, base::Deadline deadline);

  /// Call with the finished body hashes. None: no ARC field. Fail: not well-formed; a signature or
  /// seal is invalid; a key does not exist or must not be used (RFC 8301); more keys than
  /// kMaxKeyLookups. TempError: not failed, but a key could not be looked up.
  mail::ArcVerdict finish(const dkim::BodyHashes& hashes, base::WallTime now) const;

 private:
  using Key = std::expected<dkim::FetchedKey, dkim::KeyProblem>;

  /// What remains to be verified of an ARC set after its header fields have been read.
  struct Link {
    SignedBy signature;                  ///< of the ARC-Message-Signature
    std::string signed_hash;             ///< "": too old to be verified
    std::size_t body_wish = 0;           ///< number in BodyHashes
    std::string body_hash;               ///< bh=
    std::optional<std::int64_t> expiry;  ///< x=
    SignedBy seal;
    std::string sealed_hash;
  };

  /// The result for one signature; Unknown: it could not be verified.
  enum class Check : std::uint8_t { Good, Bad, Unknown };

  struct Checked {
    Check check = Check::Good;
    std::string problem;
  };

  base::Task<bool> fetch(ports::Resolver& resolver, SignedBy by, base::Deadline deadline);

  Checked check_signed(const SignedBy& by, const std::string& hash) const;
  Checked check_message(std::size_t index, const dkim::BodyHashes& hashes, std::int64_t now) const;
  Checked check_seals() const;
  Checked check_chain(const dkim::BodyHashes& hashes, std::int64_t now) const;
  std::uint8_t oldest_pass(const dkim::BodyHashes& hashes, std::int64_t now) const;

  mail::ArcVerdict verdict_;         ///< as far as the header decides it
  std::vector<Link> links_;          ///< oldest first; empty when nothing is to be verified
  std::map<std::string, Key> keys_;  ///< by DNS name
  bool too_many_keys_ = false;
  bool has_keys_ = false;  ///< has all keys that decide whether the chain is valid
};

}  // namespace relay::auth::arc
