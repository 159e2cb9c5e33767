// The body hashes of all signatures of a message, those to be verified and our own, in one pass
// over the body while it comes in. Knows nothing of headers, keys or SMTP.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/auth/dkim/canonical.hpp"
#include "relay/auth/dkim/canonical_body.hpp"

namespace relay::auth::dkim {

/// SHA-256 of the canonical body, whole or up to l= (RFC 6376 §3.7). Any division of the body into
/// chunks gives the same digests. Costs at most two passes of SHA-256, one for each canonical form,
/// however many digests are wanted; memory is constant but for 32 octets a digest.
class BodyHashes {
 public:
  /// Asks for a digest; before the first update(). Returns its number, the same for the same wish.
  /// `length`: that many octets of the canonical body, or all of it.
  std::size_t want(Canon canon, std::optional<std::uint64_t> length = std::nullopt);

  /// Takes octets of the body, which starts after the empty line that ends the header.
  void update(std::string_view octets);

  /// After the last update(), once; before any question below.
  void finish();

  /// 32 octets.
  const std::string& digest(std::size_t number) const { return wishes_.at(number).digest; }

  /// False when l= leaves octets of the canonical body outside.
  bool covers_all(std::size_t number) const;

  /// True when the canonical body has fewer octets than l= says, which it must not (§3.5).
  bool falls_short(std::size_t number) const;

 private:
  struct Wish {
    Canon canon = Canon::Relaxed;
    std::optional<std::uint64_t> length;
    std::string digest;
  };

  std::uint64_t octets_of(Canon canon) const;

  std::vector<Wish> wishes_;
  std::vector<CanonicalBody> bodies_;  ///< of the forms that are wanted
};

}  // namespace relay::auth::dkim
