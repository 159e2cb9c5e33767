// Who a message says it is from: the domains of its From field (RFC 5322 §3.4, §3.6.2). Where two
// mail programs could see different authors, all of them are returned, or a problem.
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
  NoField,           ///< no From field, but another field that says who wrote
  Nobody,            ///< no domain in From, or no From; and no other field says who wrote
  SeveralFields,     ///< more than one, or a line that some mail programs take for another
  UnreadableHeader,  ///< line ends other than CRLF
  UnreadableField,   ///< control characters, or malformed addresses
  NoDomain,          ///< From without domain (empty group, literal, name); but others, as above
  TooManyDomains,    ///< over kMaxAuthorDomains
};

std::string_view describe(AuthorProblem problem);

/// The domains that any reader of the From field could take for the author's, for DMARC: each once,
/// in the order of the field (RFC 9989 §5.3.1, §11.5). Of an address list these are the domains of
/// mailboxes, of members of groups (RFC 6854), and, because it is frequent, of an address in place
/// of a display name. Of a field that is no address list by RFC 5322, but that people and mail
/// programs understand ("Smith, Ann <ann@…>", "Acme [Support] <…>"), it is every domain behind an
/// "@", wherever it stands.
/// A problem does not mean that the message has no author: callers must assume the worst.
std::expected<std::vector<Domain>, AuthorProblem> author_domains(const Header& header);

/// The domain of the author, for alignment. Only when there is exactly one From field with exactly
/// one well-formed mailbox, in a header all of whose lines are fields; nullopt for a group, for
/// several mailboxes, and for anything unclear. Comments, display names and quoted strings are
/// skipped as RFC 5322 §3.4 and §4.4 define them.
std::optional<Domain> author_domain(const Header& header);

}  // namespace relay::mail
