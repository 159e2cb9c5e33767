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
  mail::ReversePath sender;  ///< as MAIL FROM said it
  /// SPF of the sender's domain for the addresses that we send from. nullopt: not known, as after
  /// DNS trouble, or not the same for all of them.
  std::optional<mail::SpfResult> egress_spf;
  /// The newest set says dmarc=pass of the author in From (RFC 8617 §4.1.1); its chain passes, or
  /// could not be checked for now.
  bool sealer_saw_pass = false;
  std::string signing_domain;  ///< folded d= of the signature we are about to add; "": none
};

/// The domains of the authors in From; none when it does not name any.
std::vector<std::string> authors_of(const Evidence& evidence);

/// Whom From names (mail::author_domains), of whom nothing else is known.
using NamedAuthors = std::expected<std::vector<mail::Domain>, mail::AuthorProblem>;

/// True unless it is certain that no receiver takes the name of ours as aligned with an author. Who
/// names no domain has nothing that could be aligned; who names one that everybody reads in his own
/// way could be one of those we forward for.
bool could_speak_for(const Identities& identities, const std::string& ours,
                     const NamedAuthors& authors);

/// How far the author's domain is proven.
enum class Standing {
  Signed,    ///< by an aligned signature: the proof travels on
  SpfOnly,   ///< by SPF alone: the proof ends here
  Testing,   ///< by an aligned signature whose key is in testing (t=y)
  Unproven,  ///< not at all
  Unclear,   ///< nobody can tell who the author is
  Unknown,   ///< DNS could not say yet
};

/// A pass of DMARC (with several authors: for each); or, for a domain without a DMARC record, the
/// same relaxed alignment; or, while the record cannot be looked up, a pass of the author's very
/// domain. SPF or DKIM of other domains prove nothing, however good they are.
/// Testing is not proven: the owner of the key wants it to be seen as no signature (RFC 6376
/// §3.6.1), so it lends no name. But only he could make it, t=y is often forgotten, and the next
/// receivers count it: no policy is applied to such a message.
Standing standing_of(const Identities& identities, const Evidence& evidence);

constexpr bool is_proven(Standing standing) {
  return standing == Standing::Signed || standing == Standing::SpfOnly;
}

/// SPF passed on arrival for the sender, or the proven author is of the sender's organisation.
bool is_sender_proven(const Identities& identities, const Evidence& evidence);

/// Our addresses may be authorised by the sender's domain: SPF passes, or could.
bool may_be_authorised(const Identities& identities, const Evidence& evidence);

/// May the copy leave under its original sender? Never where that gives an unproven author a name
/// that passes SPF and is aligned with it, nor an unproven sender of ours an SPF pass.
bool may_keep_sender(const Identities& identities, const Evidence& evidence);

/// May it go back to whom its SRS address stands for, with the null sender? Its tag is its
/// authority, not its From; but never where that is not proven and our HELO could be aligned with
/// it, or, of a From that nobody can read for certain, with a domain that is served here.
bool may_go_back(const Identities& identities, const Evidence& evidence);

/// May the copy leave under our SRS domain?
bool may_use_srs(const Identities& identities, const Evidence& evidence);

}  // namespace relay::forward
