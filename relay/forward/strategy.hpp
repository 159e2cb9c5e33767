// Which way a copy leaves: every option with its prediction, then one of them, by what the arrival
// proved, what the operator wants of unproven mail, and what the target wants.
//
// | the author is …            | the copy leaves …                                                |
// |----------------------------|------------------------------------------------------------------|
// | proven by a signature      | under SRS; sealed where that is wanted                           |
// | proven by SPF alone        | under SRS, sealed; with p=quarantine or reject the target is     |
// |                            | likely to refuse it, unless it trusts our seal (arc = "always")  |
// |                            | or From is rewritten (opt-in). We forward and say so: a bounce   |
// |                            | to a proven sender is better than a refusal of good mail         |
// | not proven, p=reject       | not at all; as p=quarantine when a trusted sealer saw it pass    |
// | not proven, p=quarantine   | from the risk pool, or tagged                                    |
// | not proven, p=none or none | from the risk pool                                               |
// | signed by a key in testing | from the risk pool, whatever is asked for and whoever it is      |
// | … and one of ours          | p=quarantine and p=reject: not at all, whoever sealed it         |
// | several                    | by the worst of what their domains ask for                       |
// | nobody can tell            | as not proven with p=reject; nobody can soften that              |
// | nobody ("MAILER-DAEMON"),  | from the risk pool                                               |
// |   and the sender is null   |                                                                  |
// | not known yet (DNS)        | 451                                                              |
//
// A copy to whom an SRS address of ours stands for is none of this: see choose_bounce().
//
// on_dmarc_fail = "forward" turns every "not at all" into the risk pool, "hold" turns it and
// p=quarantine into held copies. Whatever is set: unproven mail never leaves under a name that
// could be aligned with its author (see evidence.hpp); where no other name is left, it is refused.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "relay/forward/evidence.hpp"
#include "relay/forward/prediction.hpp"
#include "relay/forward/rejection.hpp"
#include "relay/settings/domain_table.hpp"
#include "relay/settings/settings.hpp"

namespace relay::forward {

using settings::DmarcSettings;

/// One option that was looked at.
struct Considered {
  Option option = Option::Keep;
  Prediction prediction;
  std::string objection;  ///< why it could not be chosen; "": it could
};

struct Choice {
  Option option = Option::Srs;
  bool risk_pool = false;
  bool tag = false;                    ///< with the operator's field in front
  bool hold = false;                   ///< stored, but not due
  std::string signed_by;               ///< d= that our signature may bear; "": no signature
  std::optional<Rejection> refusal;    ///< with Option::Refuse
  std::string reason;                  ///< one line
  std::vector<Considered> considered;  ///< every option, in the order of the enumeration

  const Prediction& prediction() const {
    return considered[static_cast<std::size_t>(option)].prediction;
  }
};

/// What one target wants.
struct TargetWishes {
  settings::SealWhen arc = settings::SealWhen::WhenUseful;
  settings::KeepOrSrs sender = settings::KeepOrSrs::Srs;

  friend bool operator==(const TargetWishes&, const TargetWishes&) = default;
};

class Strategy {
 public:
  /// The error names the key at fault.
  static std::expected<Strategy, std::string> make(const settings::Settings& settings,
                                                   OrganisationOf organisation_of);

  /// `late`: instead of a refusal. What nobody may lend a name is held then, under its own sender:
  /// it leaves only when the operator says so of this very message.
  Choice choose(const Evidence& evidence, const DmarcSettings& dmarc,
                const std::string& target_domain, LateRefusal late = LateRefusal::Refuse) const;

  /// For mail to an SRS address of ours. Its tag says that it may come back, whatever its From
  /// says: it leaves with the null sender, without signature and seal, and from the risk pool where
  /// nothing is proven. It is refused only where our HELO could be taken for its author's
  /// (may_go_back).
  Choice choose_bounce(const Evidence& evidence) const;

  /// By folded domain of the target.
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
  settings::DomainTable<TargetWishes> targets_;
  settings::SealWhen seal_ = settings::SealWhen::WhenUseful;
  std::vector<std::string> trusted_sealers_;
  bool risk_keeps_sender_ = false;
};

}  // namespace relay::forward
