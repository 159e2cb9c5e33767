// Verifies the ARC chain of a message while it streams in (RFC 8617 §5.2): made when the header is
// complete, it asks for the body hashes it needs; keys are fetched meanwhile; the verdict comes
// after the body.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "relay/auth/arc/chain.hpp"
#include "relay/auth/dkim/body_hashes.hpp"
#include "relay/auth/dkim/key_source.hpp"
#include "relay/base/task.hpp"
#include "relay/base/time.hpp"
#include "relay/mail/authentication.hpp"
#include "relay/ports/resolver.hpp"

namespace relay::auth::arc {

/// A chain that needs more distinct keys than this to be valid has failed: nobody honest has
/// so many sealers, and each costs a lookup in somebody's DNS.
inline constexpr std::size_t kMaxKeyLookups = 12;

/// So many older ARC-Message-Signatures are verified at most, for oldest_pass alone.
inline constexpr std::size_t kMaxOlderSignatures = 10;

class Verifier {
 public:
  /// `fields` and the block they are views into must outlive the verifier. Wants digests of
  /// `hashes`, so before its first update().
  Verifier(const std::vector<mail::HeaderField>& fields, dkim::BodyHashes& hashes);

  /// Asks for the keys, newest set first, each once. Stops where the chain cannot be valid any
  /// more. Nothing is asked when the chain is empty or broken by its form.
  base::Task<> fetch_keys(ports::Resolver& resolver, base::Deadline deadline);

  /// After fetch_keys(), with the finished hashes of the body. At most 61 public-key operations.
  mail::ArcVerdict finish(const dkim::BodyHashes& hashes, std::int64_t now_unix) const;

  const Chain& chain() const { return chain_; }

 private:
  using Key = std::expected<dkim::FetchedKey, dkim::KeyProblem>;

  /// What a signature is worth; only Good is good.
  enum class Check : std::uint8_t { Good, Bad, Unknown };

  struct Checked {
    Check check = Check::Bad;
    std::string problem;
  };

  base::Task<bool> fetch(ports::Resolver& resolver, SignedBy by, base::Deadline deadline);

  Checked check_signed(const SignedBy& by, const std::string& hash) const;
  Checked check_signature(std::size_t index, const dkim::BodyHashes& hashes,
                          std::int64_t now_unix) const;
  Checked check_seals() const;
  std::uint8_t oldest_pass(const dkim::BodyHashes& hashes, std::int64_t now_unix) const;

  const std::vector<mail::HeaderField>& fields_;
  Chain chain_;
  std::vector<std::size_t> wishes_;  ///< numbers of body digests, one a set
  std::map<std::string, Key> keys_;  ///< by the name that was asked for
  bool too_many_keys_ = false;
};

}  // namespace relay::auth::arc
