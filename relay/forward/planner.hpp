// Decides, without asking anybody: is this recipient ours, who gets the mail, under which sender.
// Immutable; one Planner serves all threads until the next reload.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "relay/base/time.hpp"
#include "relay/forward/alias_map.hpp"
#include "relay/forward/rejection.hpp"
#include "relay/forward/sender_rewrite.hpp"
#include "relay/mail/message.hpp"
#include "relay/settings/settings.hpp"

namespace relay::forward {

/// A recipient we take responsibility for.
struct ResolvedRecipient {
  mail::ForwardPath original;
  std::vector<mail::Mailbox> targets;  ///< outside our domains, without duplicates
  bool is_bounce = false;              ///< a reversed SRS address
  bool weak = false;                   ///< … whose hash proves little (srs.md no. 8)
  std::string rule;                    ///< how it was found, for log and `resolve`
};

using Resolution = std::variant<ResolvedRecipient, TokenLookup, Rejection>;

struct Plan {
  std::vector<mail::Route> routes;
  std::vector<mail::SenderToken> tokens;
};

class Planner {
 public:
  static std::expected<std::shared_ptr<const Planner>, std::string> make(
      const settings::Settings& settings);

  /// At RCPT. SRS addresses are reversed for the null sender only (srs.md no. 19).
  Resolution resolve(const mail::ForwardPath& path, const mail::ReversePath& sender,
                     base::WallTime now) const;

  /// After the token of a TokenLookup was found.
  Resolution resolve_token(const mail::ForwardPath& original,
                           const mail::ReversePath& recovered) const;

  /// One route per distinct target. The null sender stays null; a sender of ours, or a copy that
  /// bounces back, keeps its sender; everybody else gets an SRS address.
  std::expected<Plan, Rejection> plan(const mail::ReversePath& sender,
                                      const std::vector<ResolvedRecipient>& recipients,
                                      const std::string& client_address, base::WallTime now) const;

  bool is_ours(const mail::Domain& domain) const;

  /// An SRS address of ours by its form, valid or not.
  bool is_bounce_address(const mail::ForwardPath& path) const;

  const SenderRewrite& senders() const { return senders_; }

 private:
  Planner(AliasMap aliases, SenderRewrite senders, const settings::Settings& settings);

  struct Expansion;
  std::optional<Rejection> expand(const mail::Mailbox& mailbox, Expansion& into) const;

  AliasMap aliases_;
  SenderRewrite senders_;
  std::string hostname_;
  std::optional<mail::Mailbox> postmaster_;
  std::optional<mail::Domain> first_domain_;
};

}  // namespace relay::forward
