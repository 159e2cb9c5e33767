// What the next hop will find when it checks a copy, for each way in which the copy could leave.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "relay/forward/evidence.hpp"

namespace relay::forward {

/// The ways in which a copy can leave.
enum class Option {
  Keep,        ///< under its original sender; the null sender stays null
  KeepSealed,  ///< … with our ARC set
  Srs,         ///< under an SRS address of ours
  SrsSealed,   ///< … with our ARC set
  NewAuthor,   ///< under an SRS address, with From rewritten to a domain of ours: opt-in
  Refuse,      ///< not at all
};

constexpr bool keeps_sender(Option option) {
  return option == Option::Keep || option == Option::KeepSealed;
}

constexpr bool is_sealed(Option option) {
  return option == Option::KeepSealed || option == Option::SrsSealed;
}

/// What the target will probably do with the copy, judged by its verdicts alone.
enum class Outlook { Good, LikelyJunk, LikelyRejected };

struct Prediction {
  std::optional<mail::SpfResult> spf;              ///< nullopt: it depends on something unknown
  std::string spf_domain;                          ///< of the sender, or HELO for the null sender
  mail::DkimResult dkim = mail::DkimResult::None;  ///< best of the signatures it came with
  std::string signed_by;                           ///< d= of our signature; "": not signed
  mail::DmarcResult dmarc = mail::DmarcResult::None;
  mail::DmarcPolicy policy =
      mail::DmarcPolicy::None;  ///< of the original author's domain; None when From is rewritten
  bool spf_aligned = false;
  bool dkim_aligned = false;
  mail::ArcResult arc = mail::ArcResult::None;
  Outlook outlook = Outlook::Good;

  friend bool operator==(const Prediction&, const Prediction&) = default;
};

/// Only Option::NewAuthor changes bytes of the original: with every other option its signatures and
/// chain verify at the target as they did here. SRS is predicted to pass SPF; whether our records
/// say so is checked at the start.
Prediction predict(const Identities& identities, const Evidence& evidence, Option option);

/// d= of the signature that the copy may bear; "": none. Doubtful mail is never signed: the
/// signature would vouch for a forgery, or for an unwelcome client's mail, which others can replay;
/// and one that is aligned with nobody would not help.
std::string signature_for(const Identities& identities, const Evidence& evidence, Option option);

std::string_view name_of(Option option);    ///< "srs+arc"
std::string_view name_of(Outlook outlook);  ///< "likely junk"

}  // namespace relay::forward
