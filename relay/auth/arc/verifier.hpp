// Verifies the ARC chain of a message while it streams in (RFC 8617 §5.2). Knows nothing of whom to
// trust: that a chain is valid only says that its sealers sealed it.
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

/// A chain that needs more distinct keys than this to be valid has failed: nobody honest has so
/// many sealers, and each costs a lookup in somebody's DNS.
inline constexpr std::size_t kMaxKeyLookups = 12;

/// So many older ARC-Message-Signatures are verified at most, for oldest_pass alone.
inline constexpr std::size_t kMaxOlderSignatures = 10;

/// One message. Made when its header is complete; fetch_keys() may run while the body arrives;
/// fetch_older_keys() after it, and finish() when all have ended.
///
/// What it may cost: the header is canonicalised eleven times, the seals of 50 sets over 128 KiB
/// come to some 3 MiB of SHA-256, twelve keys are looked up, and 61 signatures computed (times
/// dkim::kMaxKeyRecords, where a selector has so many).
class Verification {
 public:
  /// Reads the ARC fields of `header`, which is needed no longer than this call, and asks
  /// `hashes` for what they need, before its first update().
  Verification(const mail::Header& header, dkim::BodyHashes& hashes);
  Verification(const Verification&) = delete;
  Verification& operator=(const Verification&) = delete;

  /// Asks for the keys, newest set first, each once, and stops where the chain cannot be valid any
  /// more: what the chain stands or falls with. Nothing is asked when there is no chain, or one
  /// broken by its form.
  base::Task<> fetch_keys(ports::Resolver& resolver, base::Deadline deadline);

  /// After fetch_keys(): those of older message signatures, for oldest_pass alone. Nothing is asked
  /// when a key of the chain is missing.
  base::Task<> fetch_older_keys(ports::Resolver& resolver, base::Deadline deadline);

  /// With the finished hashes of the body. None: no ARC field. Fail: broken by form, a signature
  /// or a seal; a key that does not exist or must not be used (RFC 8301); more keys than
  /// kMaxKeyLookups. TempError: not failed, but a key could not be looked up.
  mail::ArcVerdict finish(const dkim::BodyHashes& hashes, base::WallTime now) const;

 private:
  using Key = std::expected<dkim::FetchedKey, dkim::KeyProblem>;

  /// What is left to check of an ARC set once its header has been read.
  struct Link {
    SignedBy signature;                  ///< of the ARC-Message-Signature
    std::string signed_hash;             ///< "" when it is too old to be verified
    std::size_t body_wish = 0;           ///< number in BodyHashes
    std::string body_hash;               ///< bh=
    std::optional<std::int64_t> expiry;  ///< x=
    SignedBy seal;
    std::string sealed_hash;
  };

  /// What a signature is worth; only Good is good.
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

  mail::ArcVerdict verdict_;         ///< as far as the header tells
  std::vector<Link> links_;          ///< oldest first; none when there is nothing to verify
  std::map<std::string, Key> keys_;  ///< by the name that was asked for
  bool too_many_keys_ = false;
  bool has_keys_ = false;  ///< all that the chain stands or falls with
};

}  // namespace relay::auth::arc
