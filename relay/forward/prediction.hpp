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
  NewAuthor,   ///< under an SRS address and with From in a domain of ours: opt-in
  Refuse,      ///< not at all
};

constexpr bool keeps_sender(Option option) {
  return option == Option::Keep || option == Option::KeepSealed;
}

constexpr bool is_sealed(Option option) {
  return option == Option::KeepSealed || option == Option::SrsSealed;
}

/// What happens to a copy like that, as far as its verdicts decide.
enum class Outlook { Good, LikelyJunk, LikelyRejected };

struct Prediction {
  std::optional<mail::SpfResult> spf;              ///< nullopt: it depends on what we do not know
  std::string spf_domain;                          ///< of the sender, or HELO for the null sender
  mail::DkimResult dkim = mail::DkimResult::None;  ///< best of the signatures it came with
  std::string signed_by;                           ///< d= of ours; "": not signed
  mail::DmarcResult dmarc = mail::DmarcResult::None;
  mail::DmarcPolicy policy =
      mail::DmarcPolicy::None;  ///< for the author it came with; None when rewritten
  bool spf_aligned = false;
  bool dkim_aligned = false;
  mail::ArcResult arc = mail::ArcResult::None;
  Outlook outlook = Outlook::Good;

  friend bool operator==(const Prediction&, const Prediction&) = default;
};

/// The bytes of the original are not changed (only Option::NewAuthor does), so its signatures and
/// its chain verify there as they did here. SRS passes SPF: the self-check at the start looks
/// whether that is so.
Prediction predict(const Identities& identities, const Evidence& evidence, Option option);

/// d= of the signature that the copy may bear. "": none, as over everything whose author is not
/// proven: who signs that vouches for a forgery, and can be made to do so again and again; and a
/// signature that is aligned with nobody gives such mail nothing.
std::string signature_for(const Identities& identities, const Evidence& evidence, Option option);

std::string_view name_of(Option option);    ///< "srs+arc"
std::string_view name_of(Outlook outlook);  ///< "likely junk"

}  // namespace relay::forward
