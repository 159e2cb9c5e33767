// Decides, without asking anybody: is this recipient ours, who gets the mail, under which sender.
// Immutable; one Planner serves all threads until the next reload.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "relay/base/time.hpp"
#include "relay/forward/alias_map.hpp"
#include "relay/forward/rejection.hpp"
#include "relay/forward/sender_rewrite.hpp"
#include "relay/forward/strategy.hpp"
#include "relay/mail/message.hpp"
#include "relay/settings/settings.hpp"

namespace relay::forward {

/// A recipient we take responsibility for.
struct ResolvedRecipient {
  mail::ForwardPath original;
  std::vector<mail::Mailbox> targets;  ///< outside our domains, without duplicates
  bool is_bounce = false;              ///< a reversed SRS address
  bool weak = false;                   ///< … whose hash proves little
  std::string rule;                    ///< how it was found, for log and `resolve`
  /// Of the first alias on the way, its domain, or the defaults. The recipients of one message must
  /// agree in it: a message is refused or not, and held or not, as a whole.
  DmarcSettings dmarc;
};

using Resolution = std::variant<ResolvedRecipient, TokenLookup, Rejection>;

struct Plan {
  std::vector<mail::Route> routes;
  std::vector<mail::SenderToken> tokens;
  bool hold = false;        ///< every copy is stored as held, for the operator to look at
  std::string tag_field;    ///< to be put in front, CRLF-terminated; or ""
  std::string signed_by;    ///< d= that a signature over the original header may have; "": none
  bool new_author = false;  ///< some copies want rewritten_header()
  /// Why, for the log: the choices that differ, that of the first target first. None when incoming
  /// mail is not verified.
  std::vector<Choice> choices;
};

class Planner {
 public:
  static std::expected<std::shared_ptr<const Planner>, std::string> make(
      const std::shared_ptr<const settings::Settings>& settings,
      OrganisationOf organisation_of = {});

  /// At RCPT. SRS addresses are reversed for the null sender only.
  Resolution resolve(const mail::ForwardPath& path, const mail::ReversePath& sender,
                     base::WallTime now) const;

  /// After the token of a TokenLookup was found.
  Resolution resolve_token(const mail::ForwardPath& original,
                           const mail::ReversePath& recovered) const;

  /// One route per distinct target, each on the way that Strategy chose for it. Without evidence
  /// (incoming mail is not verified) the null sender stays null, a sender of ours, or a copy that
  /// bounces back, keeps its sender, and everybody else gets an SRS address.
  std::expected<Plan, Rejection> plan(const mail::ReversePath& sender,
                                      const std::vector<ResolvedRecipient>& recipients,
                                      const std::string& client_address, base::WallTime now,
                                      const std::optional<Evidence>& evidence) const;

  /// The header with a new author, for Handling::new_author; nullopt when it has no author that
  /// could be replaced. `via` is the domain that the reader knows the alias by.
  std::optional<std::string> rewritten_header(std::string_view header_block,
                                              const mail::Domain& via) const;

  /// Under which address copies for this target wait until it confirms; "": it has, or need not.
  std::string awaited(const mail::Mailbox& target) const {
    return confirmed_ ? confirmed_->awaited(target) : std::string();
  }

  /// The same of all targets of a recipient. Bounces need nobody's consent: whom they go to wrote
  /// first.
  std::vector<std::string> awaited(const ResolvedRecipient& recipient) const;

  const Strategy& strategy() const { return strategy_; }

  const DmarcSettings& default_dmarc() const { return default_dmarc_; }  ///< of [defaults]

  bool is_ours(const mail::Domain& domain) const;

  /// An SRS address of ours by its form, valid or not.
  bool is_bounce_address(const mail::ForwardPath& path) const;

  const SenderRewrite& senders() const { return senders_; }

 private:
  Planner(AliasMap aliases, SenderRewrite senders, Strategy strategy,
          const settings::Settings& settings);

  struct Expansion;
  struct Ways;
  std::optional<Rejection> expand(const mail::Mailbox& mailbox, Expansion& into) const;

  AliasMap aliases_;
  SenderRewrite senders_;
  Strategy strategy_;
  std::shared_ptr<const settings::ConfirmedTargets> confirmed_;  ///< null: no consent is required
  DmarcSettings default_dmarc_;
  std::string tag_field_;
  std::string hostname_;
  std::optional<mail::Mailbox> postmaster_;
  std::optional<mail::Domain> first_domain_;
};

}  // namespace relay::forward
