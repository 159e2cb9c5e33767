#include "relay/forward/strategy_text.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace relay::forward {

namespace {

/// Why the signature of the author that passed does not vouch.
std::string_view reservation(const Evidence& evidence) {
  const bool in_testing =
      std::ranges::any_of(evidence.verdicts.dkim, [](const mail::DkimVerdict& one) {
        return one.result == mail::DkimResult::Pass && one.testing;
      });
  return in_testing ? "with a key in testing" : "with a date in the future";
}

/// "SPF fail, DKIM pass for another domain". Contains results only, nothing from the message.
std::string cause(const Evidence& evidence, Standing standing) {
  const auto& verdicts = evidence.verdicts;
  const auto signature =
      std::ranges::find(verdicts.dkim, mail::DkimResult::Pass, &mail::DkimVerdict::result);
  std::string dkim = "none";
  if (standing == Standing::Reserved) {
    dkim = fmt::format("pass, but {}", reservation(evidence));
  } else if (signature != verdicts.dkim.end()) {
    dkim = verdicts.dmarc.dkim_aligned ? "pass" : "pass for another domain";
  } else if (!verdicts.dkim.empty()) {
    dkim = name_of(verdicts.dkim.front().result);
  }
  return fmt::format("SPF {}, DKIM {}", name_of(verdicts.spf(evidence.sender.is_null()).result),
                     dkim);
}

std::string policy_text(const mail::DmarcVerdict& dmarc) {
  if (dmarc.result == mail::DmarcResult::None) return "no DMARC record";
  return fmt::format("p={}", name_of(dmarc.policy));
}

/// "a.example", or "a.example and b.example".
std::string names_of(const Evidence& evidence) {
  return fmt::format("{}", fmt::join(authors_of(evidence), " and "));
}

}  // namespace

std::string finding_text(const Evidence& evidence, Standing standing) {
  const mail::DmarcVerdict& dmarc = evidence.verdicts.dmarc;
  const std::string author = dmarc.from_domain.empty() ? "every author" : dmarc.from_domain;
  switch (standing) {
    case Standing::Signed:
      return fmt::format("{} proven by a signature", author);
    case Standing::SpfOnly:
      return fmt::format("{} proven by SPF only, {}", author, policy_text(dmarc));
    case Standing::Unproven:
      return fmt::format("{} not proven, {}; {}{}", names_of(evidence), policy_text(dmarc),
                         cause(evidence, standing),
                         dmarc.unfinished ? ", left unfinished at our limit of lookups" : "");
    case Standing::Reserved:
      return fmt::format("{} signed {}, {}", dmarc.from_domain, reservation(evidence),
                         policy_text(dmarc));
    case Standing::Unclear:
      return dmarc.names_nobody ? "From names no domain" : "nobody can tell who the author is";
    case Standing::Unknown:
      break;
  }
  return fmt::format("{} cannot be checked now", names_of(evidence));
}

Rejection unproven_refusal(const Evidence& evidence, Standing standing, bool ours) {
  const std::string author = names_of(evidence);
  Rejection refusal{.code = 550, .status = {5, 7, 1}, .text = {}};
  if (standing == Standing::Unclear) {
    refusal.text = "From does not name an author who could be proven (RFC 5322 3.6.2)";
  } else if (ours) {
    refusal.text = fmt::format("From names {}, a domain served here, and nothing proves it ({})",
                               author, cause(evidence, standing));
  } else {
    refusal.text = fmt::format("Message fails DMARC of {}, whose policy is {} ({})", author,
                               name_of(evidence.verdicts.dmarc.policy), cause(evidence, standing));
  }
  return refusal;
}

Rejection no_name_refusal(const Evidence& evidence, Standing standing) {
  const std::string author = names_of(evidence);
  return {.code = 550,
          .status = {5, 7, 1},
          .text = fmt::format("Nothing proves {} ({}), and forwarding would",
                              author.empty() ? "the author in From" : author,
                              cause(evidence, standing))};
}

Rejection try_later(const Evidence& evidence) {
  return {.code = 451,
          .status = {4, 4, 3},
          .text = fmt::format("{} cannot be authenticated now, try again later",
                              authors_of(evidence).empty() ? "The author" : names_of(evidence))};
}

}  // namespace relay::forward
