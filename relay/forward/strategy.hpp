// Chooses the way in which a copy leaves. Every option is predicted, then one is chosen by what was
// proven on arrival, what the operator wants for unproven mail, and what the target wants.
//
// | the author is …            | the copy leaves …                                                |
// |----------------------------|------------------------------------------------------------------|
// | proven by a signature      | under SRS; sealed where that is wanted                           |
// | proven by SPF alone        | under SRS, sealed; with p=quarantine or reject the target is     |
// |                            | likely to refuse it, unless it trusts our seal (arc = "always")  |
// |                            | or From is rewritten (opt-in). It is forwarded all the same: a   |
// |                            | bounce to a proven sender is better than refusing good mail      |
// | not proven, p=reject       | not at all; as p=quarantine when a trusted sealer saw it pass    |
// | not proven, p=quarantine   | from the risk pool, or tagged                                    |
// | not proven, p=none or none | from the risk pool                                               |
// | not proven, served here    | p=quarantine and p=reject: not at all, whoever has sealed it     |
// | signed by a key in testing,| from the risk pool, whatever the policy and whoever the author   |
// |   or dated ahead           |                                                                  |
// | several                    | by the strictest of their domains' policies                      |
// | unclear                    | as not proven with p=reject, and no seal softens that            |
// | nobody ("MAILER-DAEMON"),  | from the risk pool                                               |
// |   and the sender is null   | and unsealed                                                     |
// | not known yet (DNS)        | 451                                                              |
//
// This table is not for mail to an SRS address of ours: see choose_bounce().
//
// on_dmarc_fail = "forward" turns every "not at all", and the 451, into the risk pool; "hold" turns
// "not at all", and p=quarantine, into held copies. Whatever is set, unproven mail never leaves
// under a name that could be aligned with its author (guarantee "The anti-laundering invariant",
// evidence.hpp); if no other name is left, it is refused.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "relay/forward/dmarc_settings.hpp"
#include "relay/forward/domain_table.hpp"
#include "relay/forward/evidence.hpp"
#include "relay/forward/prediction.hpp"
#include "relay/forward/rejection.hpp"
#include "relay/forward/target_wishes.hpp"

namespace relay::forward {

struct Policy;

/// One option, as it was examined.
struct Considered {
  Option option = Option::Keep;
  Prediction prediction;
  std::string objection;  ///< why the option is not allowed; "": it is allowed
};

struct Choice {
  Option option = Option::Srs;
  bool risk_pool = false;
  bool tag = false;                    ///< the operator's field goes in front of the message
  bool hold = false;                   ///< stored, but not delivered until the operator releases it
  std::string signed_by;               ///< d= that our signature may bear; "": no signature
  std::optional<Rejection> refusal;    ///< set with Option::Refuse
  std::string reason;                  ///< one line, for the log and `queue why`
  std::vector<Considered> considered;  ///< every option, in the order of enum Option

  const Prediction& prediction() const {
    return considered[static_cast<std::size_t>(option)].prediction;
  }
};

/// What one target wants, by [[target]].
struct TargetWishes {
  SealWhen arc = SealWhen::WhenUseful;
  KeepOrSrs sender = KeepOrSrs::Srs;

  friend bool operator==(const TargetWishes&, const TargetWishes&) = default;
};

class Strategy {
 public:
  /// The error names the key at fault.
  static std::expected<Strategy, std::string> make(const Policy& policy,
                                                   OrganisationOf organisation_of);

  /// `late` says what happens instead of a refusal. A message that no name may be lent to is then
  /// held under its original sender, and leaves only if the operator releases this very message.
  Choice choose(const Evidence& evidence, const DmarcSettings& dmarc,
                const std::string& target_domain, LateRefusal late = LateRefusal::Refuse) const;

  /// For mail to an SRS address of ours. The tag of the address authorises it to come back,
  /// whatever From says. It leaves with the null sender, unsigned and unsealed, and from the risk
  /// pool where neither author nor sender is proven. It is refused only if our HELO could be taken
  /// as aligned with its author (may_go_back).
  Choice choose_bounce(const Evidence& evidence) const;

  /// `target_domain` is folded.
  TargetWishes wishes_of(const std::string& target_domain) const;

  const Identities& identities() const { return identities_; }

 private:
  struct Case;

  std::vector<Considered> consider(const Case& message) const;
  std::string objection_to(Option option, const Case& message) const;
  bool is_vouched_for(const Evidence& evidence) const;
  bool seal_is_useful(Option plain, const Case& message) const;
  bool prefers_sender(const Case& message) const;
  Option proven_way(const Case& message) const;
  Option sealed_or_not(Option option, const Case& message) const;
  void choose_unproven(const Case& message, Choice& choice) const;

  Identities identities_;
  DomainTable<TargetWishes> targets_;
  SealWhen seal_ = SealWhen::WhenUseful;
  std::vector<std::string> trusted_sealers_;
  bool risk_keeps_sender_ = false;
};

}  // namespace relay::forward
