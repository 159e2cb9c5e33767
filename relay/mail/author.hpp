// Who a message says it is from: the domains of its From field (RFC 5322 §3.4, §3.6.2). Reads what
// cannot be misread; where two readers could see two authors, it names all of them or none.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string_view>
#include <vector>

#include "relay/mail/address.hpp"
#include "relay/mail/header.hpp"

namespace relay::mail {

inline constexpr std::size_t kMaxAuthorDomains = 4;  // each costs a policy discovery

enum class AuthorProblem {
  NoField,           ///< no From field, but others that say who wrote
  Nobody,            ///< no domain in From, or no From, and no other field that says who wrote
  SeveralFields,     ///< more than one, or a line that some readers take for another
  UnreadableHeader,  ///< lines that do not end in CRLF
  UnreadableField,   ///< control characters, or addresses that are none
  NoDomain,          ///< an empty group, an address literal, a name alone; but others, as above
  TooManyDomains,    ///< over kMaxAuthorDomains
};

std::string_view describe(AuthorProblem problem);

/// Every domain a reader of the From field could take for the author's, for DMARC: each once, in
/// the order of the field (RFC 9989 §5.3.1, §11.5). Mailboxes, groups (RFC 6854) and, because it is
/// seen so often, an address where the display name should be: then its domain counts as well. What
/// is no address list by RFC 5322, but understood by people and mail programs ("Smith, Ann
/// <ann@…>", "Acme [Support] <…>"), names every domain behind an "@" in it, wherever it stands.
/// A problem is never "no author": whoever asks treats it as the worst.
std::expected<std::vector<Domain>, AuthorProblem> author_domains(const Header& header);

/// The domain of the author, for alignment: only when there is exactly one From field with exactly
/// one well-formed mailbox, in a header all of whose lines are fields; a group, several, or
/// anything unclear is nullopt. Comments, display names and quoted strings are skipped as RFC 5322
/// §3.4 and §4.4 allow them.
std::optional<Domain> author_domain(const Header& header);

}  // namespace relay::mail
