// Makes a header block with another author (opt-in), for mail whose only proof is SPF, which ends
// at this hop: From becomes an address in a domain kept for that, Reply-To leads to the author, and
// X-Original-From keeps the original From. An X-Original-From that the message had before is
// dropped; every other octet stays.
#pragma once

#include <optional>
#include <string>

#include "relay/mail/address.hpp"
#include "relay/mail/header.hpp"

namespace relay::forward {

/// The address that replaces the author's in From.
struct NewAuthor {
  std::string label;    ///< letters and digits that tell strangers nothing: "fwd-<label>@…"
  mail::Domain domain;  ///< [rewrite] domain
  std::string via;      ///< folded domain shown behind the author's name
};

/// From becomes `"Ann via example.org" <fwd-…@rewritten.example>`. A Reply-To that the message has
/// already stays as it is. nullopt when From does not name exactly one author
/// (mail::author_domain).
std::optional<std::string> with_new_author(const mail::Header& header, const NewAuthor& author);

}  // namespace relay::forward
