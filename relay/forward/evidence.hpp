// What is known about a message when its way is chosen, and how far that proves its author.
// Values only: relay/auth finds the verdicts.
#pragma once

#include <optional>
#include <string>

#include "relay/forward/identities.hpp"
#include "relay/mail/address.hpp"
#include "relay/mail/authentication.hpp"

namespace relay::forward {

struct Evidence {
  mail::Authentication verdicts;
  mail::ReversePath sender;  ///< as MAIL FROM said it
  /// SPF of the sender's domain for the addresses that we send from. nullopt: not known, as after
  /// DNS trouble, or not the same for all of them.
  std::optional<mail::SpfResult> egress_spf;
  /// The newest Authentication-Results of a chain that passes says dmarc=pass (RFC 8617 §4.1.1).
  bool sealer_saw_pass = false;
  std::string signing_domain;  ///< folded d= of the signature we are about to add; "": none
};

/// How far the author's domain is proven.
enum class Standing {
  Signed,    ///< by an aligned signature: the proof travels on
  SpfOnly,   ///< by SPF alone: the proof ends here
  Unproven,  ///< not at all
  Unclear,   ///< there is not exactly one author, and not each is proven
  Unknown,   ///< DNS could not say yet
};

/// A pass of DMARC (with several authors: for each); or, for a domain without a DMARC record, the
/// same relaxed alignment. SPF or DKIM of other domains prove nothing, however good they are.
Standing standing_of(const Identities& identities, const Evidence& evidence);

constexpr bool is_proven(Standing standing) {
  return standing == Standing::Signed || standing == Standing::SpfOnly;
}

/// DMARC says that it is not from its author, or that it has none; whatever the author's domain
/// asks for then. Who signs that vouches for a forgery, and can be made to do so again and again.
bool has_failed(const Evidence& evidence);

/// SPF passed on arrival for the sender, or the proven author is of the sender's organisation.
bool is_sender_proven(const Identities& identities, const Evidence& evidence);

/// Our addresses may be authorised by the sender's domain: SPF passes, or could.
bool may_be_authorised(const Identities& identities, const Evidence& evidence);

/// May the copy leave under its original sender? Never where that gives an unproven author a name
/// that passes SPF and is aligned with it, nor an unproven sender of ours an SPF pass.
bool may_keep_sender(const Identities& identities, const Evidence& evidence);

/// May the copy leave under our SRS domain?
bool may_use_srs(const Identities& identities, const Evidence& evidence);

}  // namespace relay::forward
