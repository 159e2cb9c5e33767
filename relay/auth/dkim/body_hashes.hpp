// The body hashes for all signatures of a message, those to be verified and our own, in one pass
// over the body while it comes in. Independent of headers, keys and SMTP.
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

/// SHA-256 of the canonical body, whole or up to l= (RFC 6376 §3.7). The digests do not depend on
/// how the body is divided into chunks. Costs at most two passes of SHA-256, one for each canonical
/// form, however many digests are wanted. Memory is constant except for 32 octets per digest.
class BodyHashes {
 public:
  /// Registers a digest; before the first update(). Returns its number, which is the same for equal
  /// wishes. `length`: octets of the canonical body to cover; nullopt: all of it.
  std::size_t want(Canon canon, std::optional<std::uint64_t> length = std::nullopt);

  /// Adds octets of the body, which begins after the empty line that ends the header.
  void update(std::string_view octets);

  /// Call once, after the last update() and before the functions below.
  void finish();

  /// 32 octets, for the number that want() has returned.
  const std::string& digest(std::size_t number) const { return wishes_.at(number).digest; }

  /// False when l= leaves octets of the canonical body uncovered.
  bool covers_all(std::size_t number) const;

  /// True when l= is larger than the canonical body, which is not allowed (§3.5).
  bool falls_short(std::size_t number) const;

 private:
  struct Wish {
    Canon canon = Canon::Relaxed;
    std::optional<std::uint64_t> length;
    std::string digest;
  };

  std::uint64_t octets_of(Canon canon) const;

  std::vector<Wish> wishes_;
  std::vector<CanonicalBody> bodies_;  ///< one for each canonical form that is wanted
};

}  // namespace relay::auth::dkim
