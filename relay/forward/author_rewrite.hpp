// A header block with another author, for mail whose proof ends here (opt-in): From becomes an
// address in a domain kept for that, Reply-To leads to the author, and X-Original-From keeps what
// stood there. Every other octet stays.
#pragma once

#include <optional>
#include <string>

#include "relay/mail/address.hpp"
#include "relay/mail/header.hpp"

namespace relay::forward {

/// Who stands in From instead.
struct NewAuthor {
  std::string label;    ///< letters and digits that say nothing to strangers: "fwd-<label>@…"
  mail::Domain domain;  ///< [rewrite] domain
  std::string via;      ///< folded domain shown behind the author's name
};

/// `"Ann via example.org" <fwd-…@rewritten.example>`. nullopt when there is not exactly one author
/// to speak of (mail::author_domain). An own Reply-To of the message stays as it is.
std::optional<std::string> with_new_author(const mail::Header& header, const NewAuthor& author);

}  // namespace relay::forward
