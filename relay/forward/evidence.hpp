// What is known about a message when its way is chosen, and how far that proves its author.
// Values only: relay/auth finds the verdicts.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "relay/forward/identities.hpp"
#include "relay/mail/address.hpp"
#include "relay/mail/authentication.hpp"
#include "relay/mail/author.hpp"

namespace relay::forward {

struct Evidence {
  mail::Authentication verdicts;
  mail::ReversePath sender;  ///< MAIL FROM; for an SRS address of ours, whom that stands for
  /// SPF of the sender's domain, evaluated for the addresses that we send from. nullopt: not known
  /// (as after DNS trouble), or not the same for all of these addresses.
  std::optional<mail::SpfResult> egress_spf;
  /// The newest ARC set reports dmarc=pass for the author in From (RFC 8617 §4.1.1), and the chain
  /// passes or cannot be checked for now.
  bool sealer_saw_pass = false;
  std::string signing_domain;  ///< folded d= of the signature we are about to add; "": none
  /// A gateway has accepted it from a client that we would have refused (Incoming::unwelcome).
  bool unwelcome = false;
};

/// The domains of the authors in From; none when it does not name any.
std::vector<std::string> authors_of(const Evidence& evidence);

/// The authors that From names (mail::author_domains), for mail that is not verified.
using NamedAuthors = std::expected<std::vector<mail::Domain>, mail::AuthorProblem>;

/// False only if it is certain that no receiver takes `ours`, a name of ours, as aligned with an
/// author. When From names no domain, nothing can be aligned with it: false. When From is
/// malformed, so that receivers may read different authors in it, the author may be in a domain
/// that we forward for: true if `ours` could be aligned with such a domain.
bool could_speak_for(const Identities& identities, const std::string& ours,
                     const NamedAuthors& authors);

/// How far the author's domain is proven.
enum class Standing {
  Signed,    ///< by an aligned signature: the proof travels on
  SpfOnly,   ///< by SPF alone: the proof ends here
  Reserved,  ///< by an aligned signature whose key is in testing (t=y), or which is dated ahead
  Unproven,  ///< not at all
  Unclear,   ///< From does not say reliably who the author is
  Unknown,   ///< DNS trouble: it cannot be decided yet
};

/// The author is proven by DMARC pass (with several authors: for each of them); or, when the
/// author's domain has no DMARC record, by the same relaxed alignment; or, while the record cannot
/// be looked up, by a pass for exactly the author's domain. SPF or DKIM of other domains prove
/// nothing.
/// Reserved does not count as proven: with t=y the key owner asks that the signature be treated as
/// absent (RFC 6376 §3.6.1), and one that is dated ahead may be ignored (§3.5), so we lend such
/// mail no name of ours. But only the key owner could make the signature, t=y is often forgotten,
/// clocks go wrong, and the next receivers count it: therefore no DMARC policy is applied to such a
/// message.
Standing standing_of(const Identities& identities, const Evidence& evidence);

constexpr bool is_proven(Standing standing) {
  return standing == Standing::Signed || standing == Standing::SpfOnly;
}

/// The author is not proven, or the client is unwelcome: copies are not signed by us, and their SRS
/// addresses are made in the domain for such mail (Identities::doubtful_srs_domain).
bool is_doubtful(const Identities& identities, const Evidence& evidence);

/// SPF passed for the sender's domain on arrival, or the author is proven and in the sender's
/// organisation.
bool is_sender_proven(const Identities& identities, const Evidence& evidence);

/// The sender's domain may authorise the addresses that we send from: SPF passes, or could.
bool may_be_authorised(const Identities& identities, const Evidence& evidence);

/// Whether the copy may leave under its original sender. Not if that sender could pass SPF here and
/// be aligned with an unproven author, and not if SPF surely passes for a sender that is not
/// proven.
bool may_keep_sender(const Identities& identities, const Evidence& evidence);

/// Whether mail to an SRS address of ours may go back to the sender behind it, with the null
/// sender. The tag of the address authorises it, not its From. But when the author is not proven,
/// it may not go back if our HELO could be aligned with the author, or, when From cannot be read
/// reliably, with a domain that is served here.
bool may_go_back(const Identities& identities, const Evidence& evidence);

/// Whether the copy may leave under our SRS domain.
bool may_use_srs(const Identities& identities, const Evidence& evidence);

}  // namespace relay::forward
