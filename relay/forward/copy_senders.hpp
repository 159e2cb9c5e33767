// Under which sender, and in which way, the copies of one message leave.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "relay/forward/evidence.hpp"
#include "relay/forward/plan.hpp"
#include "relay/forward/rejection.hpp"
#include "relay/forward/resolved_recipient.hpp"
#include "relay/forward/sender_rewrite.hpp"
#include "relay/forward/strategy.hpp"
#include "relay/mail/message.hpp"

namespace relay::forward {

/// What our SRS address for the sender of this message depends on, besides the sender.
SenderRewrite::Occasion occasion_of(const Incoming& message, const Identities& identities,
                                    const std::optional<Evidence>& evidence);

/// For one message; all arguments outlive it. The SRS address is made once, and the choice once for
/// each distinct set of wishes, when a copy first needs them.
class CopySenders {
 public:
  CopySenders(const SenderRewrite& senders, const Strategy& strategy, const Incoming& message,
              const std::optional<Evidence>& evidence)
      : senders_(senders), strategy_(strategy), message_(message), evidence_(evidence) {}

  /// The index of a choice in Plan::choices; nullopt where incoming mail is not verified.
  using Chosen = std::optional<std::size_t>;

  /// Sets sender and handling of a copy that is to leave; or answers why the message is refused.
  std::expected<Chosen, Rejection> settle(const ResolvedRecipient& recipient, mail::Route& route);

  /// For a copy that has ended already: it keeps the original sender. Its refusal still refuses the
  /// message.
  std::expected<Chosen, Rejection> settle_ended(const ResolvedRecipient& recipient,
                                                mail::Route& route);

  bool hold() const { return hold_; }  ///< see Plan

  bool new_author() const { return new_author_; }  ///< see Plan

  bool is_tagged() const { return is_tagged_; }  ///< the operator's field is wanted

  std::vector<Choice> take_choices() { return std::move(choices_); }

  std::vector<mail::SenderToken> take_tokens() { return std::move(tokens_); }

 private:
  /// What distinguishes the choices for two targets.
  struct Wanted {
    DmarcSettings dmarc;
    TargetWishes wishes;
  };

  const mail::ReversePath& rewritten();
  std::size_t choice(const ResolvedRecipient& recipient, const std::string& domain);
  std::expected<Chosen, Rejection> apply(const ResolvedRecipient& recipient, mail::Route& route);
  std::expected<mail::ReversePath, Rejection> unverified(const ResolvedRecipient& recipient);
  void doubt(const ResolvedRecipient& recipient, mail::Route& route);

  const SenderRewrite& senders_;
  const Strategy& strategy_;
  const Incoming& message_;
  const std::optional<Evidence>& evidence_;

  std::optional<mail::ReversePath> srs_;
  std::vector<mail::SenderToken> tokens_;
  std::vector<Wanted> wanted_;  ///< parallel to `choices_`, but for a bounce
  std::vector<Choice> choices_;
  bool hold_ = false;
  bool new_author_ = false;
  bool is_tagged_ = false;
};

}  // namespace relay::forward
