#include "relay/forward/copy_senders.hpp"

#include <algorithm>
#include <utility>

namespace relay::forward {

namespace {

std::unexpected<Rejection> no_name() {
  return std::unexpected(
      Rejection{550, {5, 7, 1}, "The author in From is of this host, which verifies nobody"});
}

}  // namespace

SenderRewrite::Occasion occasion_of(const Incoming& message, const Identities& identities,
                                    const std::optional<Evidence>& evidence) {
  return {.message = message.id,
          .client = message.client_address,
          .is_proven = evidence && is_sender_proven(identities, *evidence),
          .is_doubtful = evidence ? is_doubtful(identities, *evidence) : !message.unwelcome.empty(),
          .now = message.now};
}

const mail::ReversePath& CopySenders::rewritten() {
  if (!srs_) {
    auto made = senders_.rewrite(message_.sender.mailbox(),
                                 occasion_of(message_, strategy_.identities(), evidence_));
    if (made.token) tokens_.push_back(std::move(*made.token));
    srs_ = std::move(made.reverse_path);
  }
  return *srs_;
}

/// Makes one choice for each distinct set of wishes, however many targets there are; returns its
/// index.
std::size_t CopySenders::choice(const ResolvedRecipient& recipient, const std::string& domain) {
  if (recipient.is_bounce) {  // a bounce recipient is the only one of its message
    if (choices_.empty()) choices_.push_back(strategy_.choose_bounce(*evidence_));
    return 0;
  }
  const Wanted wanted{.dmarc = recipient.dmarc, .wishes = strategy_.wishes_of(domain)};
  const auto found = std::ranges::find_if(wanted_, [&](const Wanted& one) {
    return one.dmarc == wanted.dmarc && one.wishes == wanted.wishes;
  });
  if (found != wanted_.end()) return static_cast<std::size_t>(found - wanted_.begin());
  wanted_.push_back(wanted);
  choices_.push_back(strategy_.choose(*evidence_, recipient.dmarc, domain, message_.late));
  return choices_.size() - 1;
}

/// The sender without evidence: neither the author nor the sender's SPF has been checked.
std::expected<mail::ReversePath, Rejection> CopySenders::unverified(
    const ResolvedRecipient& recipient) {
  const mail::ReversePath& sender = message_.sender;
  const Identities& identities = strategy_.identities();
  const auto is_safe = [&](const std::string& name) {
    return !could_speak_for(identities, name, message_.authors);
  };
  if (recipient.is_bounce || sender.is_null()) {
    if (!is_safe(identities.helo())) return no_name();
    return mail::ReversePath::null();
  }
  const std::string& srs_domain =
      message_.unwelcome.empty() ? identities.srs_domain() : identities.doubtful_srs_domain();
  if (senders_.rewriter() && is_safe(srs_domain)) return rewritten();
  // SPF of our own domains authorises us.
  const std::string& domain = sender.mailbox().domain().folded();
  if (identities.is_ours(domain) && !is_safe(domain)) return no_name();
  return sender;
}

/// Applies the strategy's choice to this copy.
std::expected<CopySenders::Chosen, Rejection> CopySenders::apply(const ResolvedRecipient& recipient,
                                                                 mail::Route& route) {
  const std::size_t number = choice(recipient, route.target.domain().folded());
  const Choice& chosen = choices_[number];
  if (chosen.refusal) return std::unexpected(*chosen.refusal);
  if (recipient.is_bounce) {
    route.reverse_path = mail::ReversePath::null();
  } else {
    route.reverse_path = keeps_sender(chosen.option) ? message_.sender : rewritten();
  }
  route.handling = {.seal = is_sealed(chosen.option),
                    .risk_pool = chosen.risk_pool,
                    .new_author = chosen.option == Option::NewAuthor,
                    .reason = chosen.reason};
  hold_ = hold_ || chosen.hold;
  new_author_ = new_author_ || route.handling.new_author;
  is_tagged_ = is_tagged_ || chosen.tag;
  return number;
}

std::expected<CopySenders::Chosen, Rejection> CopySenders::settle(
    const ResolvedRecipient& recipient, mail::Route& route) {
  std::expected<Chosen, Rejection> chosen;
  if (evidence_) {
    chosen = apply(recipient, route);
    if (!chosen) return chosen;
  } else {
    auto sent_under = unverified(recipient);
    const bool may_hold = message_.late != LateRefusal::Refuse && !recipient.is_bounce;
    if (!sent_under && !may_hold) return std::unexpected(std::move(sent_under.error()));
    hold_ = hold_ || !sent_under;
    if (sent_under) {
      route.reverse_path = std::move(*sent_under);
    } else {
      route.reverse_path = message_.sender;
    }
  }
  if (!message_.unwelcome.empty()) doubt(recipient, route);
  return chosen;
}

std::expected<CopySenders::Chosen, Rejection> CopySenders::settle_ended(
    const ResolvedRecipient& recipient, mail::Route& route) {
  route.reverse_path = message_.sender;
  if (!evidence_) return std::nullopt;
  const std::size_t number = choice(recipient, route.target.domain().folded());
  // A bounce that is discarded needs no permission.
  if (!recipient.is_bounce && choices_[number].refusal) {
    return std::unexpected(*choices_[number].refusal);
  }
  return number;
}

/// The client would have been refused: risk pool, and a hold if LateRefusal says so. Mail to an SRS
/// address is never held: the tag authorises it, whichever client brings it.
void CopySenders::doubt(const ResolvedRecipient& recipient, mail::Route& route) {
  if (message_.late == LateRefusal::Hold && !recipient.is_bounce) hold_ = true;
  route.handling.risk_pool = true;
  std::string& reason = route.handling.reason;
  reason += (reason.empty() ? "" : "; ") + message_.unwelcome;
}

}  // namespace relay::forward
