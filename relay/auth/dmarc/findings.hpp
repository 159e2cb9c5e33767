// What DMARC needs to know besides the message itself: which domains vouch for it, the authors'
// policies, and organisational domains. Values only; relay/auth/dmarc/discovery.hpp looks them up.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/auth/dmarc/record.hpp"
#include "relay/mail/authentication.hpp"

namespace relay::auth::dmarc {

/// The authenticated domains of SPF and DKIM (RFC 9989 §3.2.1), folded.
struct Identifiers {
  std::string spf;                ///< "" when SPF did not pass
  std::vector<std::string> dkim;  ///< each once, in the order of the signatures

  /// Domains whose signature passed only with reservation (DkimVerdict::vouches()). Each once.
  std::vector<std::string> reserved_dkim;

  // Domains whose check failed because of DNS trouble; they may still turn out to vouch.
  std::string later_spf;
  std::vector<std::string> later_dkim;

  std::string unfinished_spf;  ///< SPF was stopped by our own limit of lookups
};

/// `text` as an identifier: the domain folded and with A-labels; "" for anything that is not a
/// domain name.
std::string as_identifier(std::string_view text);

/// SPF counts if it passed for MAIL FROM, or for HELO when the sender is null (RFC 9989 §3.2.4). A
/// signature counts if it vouches; with a key in testing the message must be treated as unsigned
/// (RFC 6376 §3.6.1), so its domain is listed separately, and so is that of a signature dated
/// ahead. Anything that is not a domain name, for example because of a NUL or a parenthesis, is
/// ignored.
Identifiers identifiers_of(const mail::Authentication& authentication, bool null_sender);

/// Why a finding is unknown.
enum class Unknown : std::uint8_t {
  TemporaryError,  ///< DNS trouble
  TooManyQueries,  ///< the message needs more lookups than we allow
};

/// Whether an author's domain exists in the DNS (RFC 9989 §3.2.13); looked up only when np= depends
/// on it.
enum class Existence : std::uint8_t { Exists, Missing, Unknown };

/// The record that applies to an author's domain, and the domain where it was found.
struct Policy {
  Record record;
  std::string domain;
  Existence author = Existence::Exists;
};

struct AuthorFinding {
  std::string domain;                                    ///< folded
  std::expected<std::optional<Policy>, Unknown> policy;  ///< nullopt: DMARC does not apply
};

/// Organisational domain by domain, for the domains that were looked up.
using Organisations = std::map<std::string, std::expected<std::string, Unknown>>;

struct Findings {
  std::vector<AuthorFinding> authors;
  Organisations organisations;
};

enum class Alignment : std::uint8_t { No, Yes, Unknown };

/// Whether `identifier` is aligned with `author` (RFC 9989 §3.2.10). Unknown: an organisational
/// domain was not looked up; if that takes too many lookups, the answer is No.
Alignment alignment(const std::string& author, const std::string& identifier, AlignmentMode mode,
                    const Organisations& organisations);

/// Whether relaxed alignment depends on the organisational domain of `identifier`: only if
/// `identifier` is below the author's organisational domain.
bool needs_organisation(const std::string& author, const std::string& identifier,
                        const Organisations& organisations);

}  // namespace relay::auth::dmarc
