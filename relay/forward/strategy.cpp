#include "relay/forward/strategy.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "relay/forward/policy.hpp"
#include "relay/forward/sender_rewrite.hpp"
#include "relay/forward/strategy_text.hpp"

namespace relay::forward {

namespace {

using mail::ArcResult;
using mail::DmarcPolicy;
using mail::DmarcResult;

constexpr std::array kOptions = {Option::Keep,      Option::KeepSealed, Option::Srs,
                                 Option::SrsSealed, Option::NewAuthor,  Option::Refuse};

constexpr std::uint8_t kMaxInstances = 50;  // RFC 8617 §4.2.1: no set follows the 50th

/// A notice of a mail system with the null sender that names no domain in From.
bool names_nobody(const Evidence& evidence) {
  return evidence.verdicts.dmarc.names_nobody && evidence.sender.is_null();
}

/// The DMARC policy to apply to a message that is not proven; None without a record.
DmarcPolicy policy_of(const Evidence& evidence, Standing standing) {
  const mail::DmarcVerdict& dmarc = evidence.verdicts.dmarc;
  // Our own limit of lookups cut the evaluation short, which says nothing about the author.
  if (standing == Standing::Reserved || dmarc.unfinished) return DmarcPolicy::None;
  if (standing == Standing::Unclear) {
    // A notice whose From names nobody has no owner whose policy could apply.
    return names_nobody(evidence) ? DmarcPolicy::None : DmarcPolicy::Reject;
  }
  if (dmarc.result == DmarcResult::PermError) return DmarcPolicy::Reject;
  return dmarc.result == DmarcResult::None ? DmarcPolicy::None : dmarc.policy;
}

}  // namespace

/// One message on its way to one target.
struct Strategy::Case {
  const Evidence& evidence;
  const DmarcSettings& dmarc;
  TargetWishes wishes;
  Standing standing;
  LateRefusal late = LateRefusal::Refuse;
};

std::expected<Strategy, std::string> Strategy::make(const Policy& policy,
                                                    OrganisationOf organisation_of) {
  auto identities = Identities::make(policy, std::move(organisation_of));
  if (!identities) return std::unexpected(identities.error());
  Strategy made;
  made.identities_ = std::move(*identities);
  made.seal_ = policy.arc.seal;
  made.trusted_sealers_ = policy.arc.trusted_sealers;
  made.risk_keeps_sender_ = policy.risk.sender == KeepOrSrs::Keep;
  for (const Target& target : policy.targets) {
    made.targets_.add(target.match,
                      {.arc = target.arc.value_or(made.seal_), .sender = target.sender});
  }
  return made;
}

TargetWishes Strategy::wishes_of(const std::string& target_domain) const {
  const TargetWishes* wishes = targets_.find(target_domain);
  return wishes ? *wishes : TargetWishes{.arc = seal_, .sender = KeepOrSrs::Srs};
}

/// True if the newest sealer is one that the operator trusts and its set reports a pass. Whether
/// the seal is valid is checked elsewhere.
bool Strategy::is_vouched_for(const Evidence& evidence) const {
  return evidence.sealer_saw_pass &&
         std::ranges::find(trusted_sealers_, evidence.verdicts.arc.last_sealer) !=
             trusted_sealers_.end();
}

/// A seal is useful if something passed here that the next hop cannot check for itself.
bool Strategy::seal_is_useful(Option plain, const Case& message) const {
  if (message.evidence.verdicts.arc.result == ArcResult::Fail) return false;
  if (message.evidence.verdicts.arc.result == ArcResult::Pass) return true;
  if (!is_proven(message.standing)) return false;
  const Prediction expected = predict(identities_, message.evidence, plain);
  return !expected.spf_aligned && !expected.dkim_aligned;
}

Option Strategy::sealed_or_not(Option option, const Case& message) const {
  const Option sealed = option == Option::Keep ? Option::KeepSealed : Option::SrsSealed;
  if (!objection_to(sealed, message).empty()) return option;
  const bool wanted = message.wishes.arc == SealWhen::Always || seal_is_useful(option, message);
  return wanted ? sealed : option;
}

std::string Strategy::objection_to(Option option, const Case& message) const {
  const Evidence& evidence = message.evidence;
  if (is_sealed(option)) {
    const mail::ArcVerdict& arc = evidence.verdicts.arc;
    if (!identities_.can_seal()) return "no key in [arc]";
    if (message.wishes.arc == SealWhen::Never) return "the target wants no seal";
    if (arc.instances >= kMaxInstances) return "the chain is full";
    if (arc.result == ArcResult::TempError) return "the chain cannot be checked now";
    // From names no author, so there is no proof of one that a seal could report.
    if (names_nobody(evidence)) return "a notice that names nobody";
  }
  if (keeps_sender(option)) {
    return may_keep_sender(identities_, evidence) ? "" : "would lend the sender our name";
  }
  if (option == Option::Refuse) return {};
  if (evidence.sender.is_null()) return "the null sender stays null";
  if (identities_.srs_domain().empty()) return "no [srs]";
  if (option == Option::NewAuthor) {
    if (message.dmarc.rewrite_from == RewriteFrom::Never) return "rewrite_from is \"never\"";
    if (identities_.rewrite_domain().empty()) return "no [rewrite]";
    if (!is_proven(message.standing)) return "the author is not proven";
    if (evidence.unwelcome) return "the client is unwelcome";
    if (evidence.verdicts.dmarc.from_domain.empty()) return "From names several authors";
  }
  return may_use_srs(identities_, evidence) ? "" : "the SRS domain could be aligned with From";
}

std::vector<Considered> Strategy::consider(const Case& message) const {
  std::vector<Considered> all;
  for (const Option option : kOptions) {
    all.push_back({.option = option,
                   .prediction = predict(identities_, message.evidence, option),
                   .objection = objection_to(option, message)});
  }
  return all;
}

/// True if the original sender is preferred to an SRS address. For a proven author: only where SPF
/// passes anyway; that rule holds for senders in domains served here as well, whose bounces reach
/// us either way but whose SPF would fail. For an unproven author (opt-in, [risk] sender): where
/// SPF failed on arrival, so that such mail gets no SPF pass in our name.
bool Strategy::prefers_sender(const Case& message) const {
  const Evidence& evidence = message.evidence;
  if (evidence.sender.is_null()) return true;
  // Many next hops refuse a sender that cannot be answered.
  if (!is_answerable(evidence.sender.mailbox(), identities_)) return false;
  if (message.wishes.sender == KeepOrSrs::Keep) return true;
  if (!is_proven(message.standing)) {
    return risk_keeps_sender_ && evidence.verdicts.mail_from.result == mail::SpfResult::Fail;
  }
  return evidence.egress_spf == mail::SpfResult::Pass;
}

/// The author is proven: choose by what the next hop will believe.
Option Strategy::proven_way(const Case& message) const {
  const bool srs = objection_to(Option::Srs, message).empty();
  const bool keep = objection_to(Option::Keep, message).empty();
  const bool keeps = (prefers_sender(message) && keep) || !srs;
  const Option plain = keeps ? Option::Keep : Option::Srs;
  const Option chosen = sealed_or_not(plain, message);
  if (message.standing == Standing::Signed) return chosen;
  const Prediction expected = predict(identities_, message.evidence, plain);
  const bool needed = expected.dmarc == DmarcResult::Fail && expected.policy != DmarcPolicy::None;
  // arc = "always" for a target means that this target trusts our seal.
  const bool believed = is_sealed(chosen) && message.wishes.arc == SealWhen::Always;
  if (needed && !believed && objection_to(Option::NewAuthor, message).empty()) {
    return Option::NewAuthor;
  }
  return chosen;
}

void Strategy::choose_unproven(const Case& message, Choice& choice) const {
  const Evidence& evidence = message.evidence;
  const bool ours = std::ranges::any_of(
      authors_of(evidence), [&](const std::string& one) { return identities_.is_ours(one); });
  const DmarcPolicy asked = policy_of(evidence, message.standing);
  // For the domains served here we act as the receiver: quarantine is applied as reject.
  const bool reject = asked == DmarcPolicy::Reject || (ours && asked == DmarcPolicy::Quarantine);
  const bool vouched =
      reject && !ours && message.standing == Standing::Unproven && is_vouched_for(evidence);
  const bool softened = vouched && evidence.verdicts.arc.result == ArcResult::Pass;
  const bool quarantine = softened || (!reject && asked == DmarcPolicy::Quarantine);
  const bool srs = objection_to(Option::Srs, message).empty();
  const bool keep = objection_to(Option::Keep, message).empty();
  choice.option = Option::Refuse;
  const bool refused = message.dmarc.on_dmarc_fail == OnDmarcFail::Policy && reject && !softened;
  // If the trusted seal cannot be checked now, defer the message instead of refusing it for good.
  const bool later =
      refused && vouched && (srs || keep) && evidence.verdicts.arc.result == ArcResult::TempError;
  if (refused && (later || message.late == LateRefusal::Refuse)) {
    choice.refusal =
        later ? try_later(evidence) : unproven_refusal(evidence, message.standing, ours);
    if (later) {
      choice.reason = fmt::format(", and the seal of {} cannot be checked now",
                                  evidence.verdicts.arc.last_sealer);
    }
    return;
  }
  if (!srs && !keep) {
    if (message.standing == Standing::Unknown) {
      choice.refusal = try_later(evidence);
      return;
    }
    if (message.late == LateRefusal::Refuse) {
      choice.refusal = no_name_refusal(evidence, message.standing);
      return;
    }
    choice.option = Option::Keep;
    choice.hold = choice.risk_pool = true;
    choice.reason = ", and no name of ours is left for it";
    return;
  }
  const bool keeps = (prefers_sender(message) && keep) || !srs;
  choice.option = sealed_or_not(keeps ? Option::Keep : Option::Srs, message);
  choice.hold = message.dmarc.on_dmarc_fail == OnDmarcFail::Hold && (reject || quarantine);
  choice.hold = choice.hold || (refused && message.late == LateRefusal::Hold);
  choice.tag = quarantine && message.dmarc.on_dmarc_fail == OnDmarcFail::Policy &&
               message.dmarc.quarantine == Quarantine::Tag;
  choice.risk_pool = !choice.tag;
  if (softened) {
    choice.reason = fmt::format(", but {} sealed it as passing", evidence.verdicts.arc.last_sealer);
  }
}

Choice Strategy::choose(const Evidence& evidence, const DmarcSettings& dmarc,
                        const std::string& target_domain, LateRefusal late) const {
  const Case message{.evidence = evidence,
                     .dmarc = dmarc,
                     .wishes = wishes_of(target_domain),
                     .standing = standing_of(identities_, evidence),
                     .late = late};
  Choice choice;
  choice.considered = consider(message);
  // "forward" asks for no proof, so it waits for none, either.
  if (message.standing == Standing::Unknown && dmarc.on_dmarc_fail != OnDmarcFail::Forward) {
    choice.option = Option::Refuse;
    choice.refusal = try_later(evidence);
  } else if (is_proven(message.standing)) {
    choice.option = proven_way(message);
  } else {
    choose_unproven(message, choice);
  }
  choice.signed_by = choice.prediction().signed_by;
  choice.reason =
      fmt::format("{}{}{}{}: {}{}", name_of(choice.option), choice.risk_pool ? ", risk pool" : "",
                  choice.tag ? ", tagged" : "", choice.hold ? ", held" : "",
                  finding_text(evidence, message.standing), choice.reason);
  if (choice.option != Option::Refuse && choice.prediction().outlook != Outlook::Good) {
    choice.reason += fmt::format("; {} at the target", name_of(choice.prediction().outlook));
  }
  return choice;
}

Choice Strategy::choose_bounce(const Evidence& evidence) const {
  static const DmarcSettings kNoWishes;
  const Case message{.evidence = evidence,
                     .dmarc = kNoWishes,
                     .wishes = {},
                     .standing = standing_of(identities_, evidence)};
  Choice choice;
  choice.considered = consider(message);
  if (!may_go_back(identities_, evidence)) {
    choice.option = Option::Refuse;
    choice.refusal = no_name_refusal(evidence, message.standing);
    choice.reason = fmt::format("{}: a bounce whose author our HELO could be taken for",
                                name_of(choice.option));
    return choice;
  }
  choice.option = Option::Keep;
  choice.risk_pool = !is_proven(message.standing) && !is_sender_proven(identities_, evidence);
  choice.reason =
      fmt::format("back{}: authorised by its SRS address", choice.risk_pool ? ", risk pool" : "");
  return choice;
}

}  // namespace relay::forward
