// What DMARC needs to know about a message beyond its own words: who vouches for it, what the
// authors' domains ask for, and which domains are one organisation. Values;
// relay/auth/dmarc/discovery looks them up.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "relay/auth/dmarc/record.hpp"
#include "relay/mail/authentication.hpp"

namespace relay::auth::dmarc {

/// The domains that SPF and DKIM vouch for (RFC 9989 §3.2.1), folded.
struct Identifiers {
  std::string spf;                ///< "" when SPF did not pass
  std::vector<std::string> dkim;  ///< each once, in the order of the signatures

  /// Of signatures that passed by a key in testing: they vouch for nobody. Each once.
  std::vector<std::string> testing_dkim;

  // What DNS could not say yet: these may turn out to vouch as well.
  std::string later_spf;
  std::vector<std::string> later_dkim;

  std::string unfinished_spf;  ///< might have vouched, but for a limit of ours
};

/// SPF counts when it passed for MAIL FROM, or for HELO when there is no sender (RFC 9989 §3.2.4).
/// A signature counts when it passed without a reservation, by a key that is not in testing: such
/// mail is to be seen as unsigned (RFC 6376 §3.6.1), and is told apart. What is no domain name, by
/// a NUL or a parenthesis in it, vouches for nothing.
Identifiers identifiers_of(const mail::Authentication& authentication, bool null_sender);

/// Why something is not known.
enum class Unknown : std::uint8_t {
  TemporaryError,  ///< of the DNS
  TooManyQueries,  ///< the message asks for more lookups than anybody gets
};

/// Whether an author's domain is in the DNS (RFC 9989 §3.2.13); only asked when np= depends on it.
enum class Existence : std::uint8_t { Exists, Missing, Unknown };

/// The record that applies to an author's domain, and where it stands.
struct Policy {
  Record record;
  std::string domain;
  Existence author = Existence::Exists;
};

struct AuthorFinding {
  std::string domain;                                    ///< folded
  std::expected<std::optional<Policy>, Unknown> policy;  ///< nullopt: DMARC does not apply
};

/// Organisational domains by domain, as far as they had to be known.
using Organisations = std::map<std::string, std::expected<std::string, Unknown>>;

struct Findings {
  std::vector<AuthorFinding> authors;
  Organisations organisations;
};

enum class Alignment : std::uint8_t { No, Yes, Unknown };

/// Whether `identifier` speaks for `author` (RFC 9989 §3.2.10). An organisation that was not looked
/// up is Unknown; one too expensive to look up is No.
Alignment alignment(const std::string& author, const std::string& identifier, AlignmentMode mode,
                    const Organisations& organisations);

/// Whether relaxed alignment of the two hangs on the organisation of `identifier`: it can only be
/// the author's when `identifier` stands below that.
bool needs_organisation(const std::string& author, const std::string& identifier,
                        const Organisations& organisations);

}  // namespace relay::auth::dmarc
