// Decides, without any I/O, whether a recipient is ours, who gets the mail, and under which sender.
// Immutable: one Planner serves all threads until the next reload.
#pragma once

#include <algorithm>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "relay/base/time.hpp"
#include "relay/forward/alias_map.hpp"
#include "relay/forward/rejection.hpp"
#include "relay/forward/resolved_recipient.hpp"
#include "relay/forward/sender_rewrite.hpp"
#include "relay/forward/strategy.hpp"
#include "relay/mail/header.hpp"
#include "relay/mail/message.hpp"
#include "relay/settings/settings.hpp"

namespace relay::forward {

/// The sender that a message is handled as from.
struct SenderBehind {
  std::variant<mail::ReversePath, TokenLookup> sender;
  bool guessable = false;  ///< it came as an SRS address whose tag could be found by trying
};

struct Plan {
  std::vector<mail::Route> routes;
  std::vector<mail::SenderToken> tokens;
  bool hold = false;        ///< every copy is stored as held, for the operator to look at
  std::string tag_field;    ///< the operator's field to put in front, CRLF-terminated; or ""
  std::string signed_by;    ///< d= that our signature over the original header may bear; "": none
  bool new_author = false;  ///< some copies need rewritten_header()
  /// The different choices that were made, for the log; that of the first target first. Empty when
  /// incoming mail is not verified.
  std::vector<Choice> choices;
  std::vector<std::size_t> chosen;  ///< for each route, its index in `choices`
};

/// A message to forward. References, not copies: the caller keeps the values alive.
struct Incoming {
  const mail::MessageId& id;
  /// MAIL FROM; for an SRS address of ours, the sender that it stands for
  const mail::ReversePath& sender;
  const std::string& client_address;  ///< IP
  base::WallTime now;
  std::uint64_t size = 0;  ///< of the content, in octets
  /// The authors in From. Used only where incoming mail is not verified, so that nothing else is
  /// known of them.
  NamedAuthors authors = std::unexpected(mail::AuthorProblem::Nobody);
  LateRefusal late = LateRefusal::Refuse;
  /// Why the client would be refused if its message had come directly, when a gateway stands
  /// between that must not be told so; else "".
  std::string unwelcome = {};
};

/// A message that is refused, with the choices made so far; the last of them is the refusal.
struct PlanRefusal : Rejection {
  std::vector<Choice> choices;
};

class Planner {
 public:
  static std::expected<std::shared_ptr<const Planner>, std::string> make(
      const std::shared_ptr<const settings::Settings>& settings,
      OrganisationOf organisation_of = {});

  /// At RCPT. A live SRS address of ours is always accepted here; whether the message may come back
  /// by it is decided after its content.
  Resolution resolve(const mail::ForwardPath& path, base::WallTime now) const;

  /// Whom the sender in MAIL FROM stands for. A live SRS address of ours stands for the sender
  /// behind it, any other address in an SRS domain of ours is refused, and every other sender
  /// stands for itself; so does the address of a message whose sender nobody can answer, for which
  /// copies get such an address again.
  std::expected<SenderBehind, Rejection> sender_behind(const mail::ReversePath& sender,
                                                       base::WallTime now) const;

  bool is_srs_sender(const mail::ReversePath& sender) const {
    return !sender.is_null() && is_srs_address(sender.mailbox());
  }

  /// Completes a TokenLookup: `recovered` is the sender that was stored under the token.
  Resolution resolve_token(const mail::ForwardPath& original, const mail::ReversePath& recovered,
                           base::WallTime now) const;

  /// Makes one route per distinct target, in the way that Strategy chooses for it; a copy that is
  /// too large for its alias has already ended as refused.
  /// Without evidence (incoming mail is not verified): mail to an SRS address leaves with the null
  /// sender, the null sender stays null, and any other sender gets an SRS address. No name of ours
  /// may be one that could be aligned with an author in From: if the SRS domain could, the original
  /// sender stays, and if that is of a domain of ours and could as well, the message is refused.
  std::expected<Plan, PlanRefusal> plan(const Incoming& message,
                                        const std::vector<ResolvedRecipient>& recipients,
                                        const std::optional<Evidence>& evidence) const;

  /// Replaces our SRS senders in the plan by the address of the message, whose sender nobody can
  /// answer, because the token of the original sender may not be stored.
  void give_up_sender(Plan& plan, const Incoming& message,
                      const std::optional<Evidence>& evidence) const;

  /// The header with a new author, for copies with Handling::new_author; nullopt when From has no
  /// author that could be replaced. `via` is the domain of the alias, as the reader knows it.
  std::optional<std::string> rewritten_header(const mail::Header& header,
                                              const mail::Domain& via) const;

  /// Adds a copy for each target that has none; returns the refusal of the message, if any.
  std::string awaited(const mail::Mailbox& target) const {
    return confirmed_ ? confirmed_->awaited(target) : std::string();
  }

  /// The addresses that targets of this recipient wait for. Bounces need no consent: they go to
  /// somebody who has written before.
  std::vector<std::string> awaited(const ResolvedRecipient& recipient) const;

  const Strategy& strategy() const { return strategy_; }

  const DmarcSettings& default_dmarc() const { return default_dmarc_; }  ///< from [defaults]

  bool is_ours(const mail::Domain& domain) const;

  /// True for an address in the form of our SRS addresses, whether its tag is valid or not.
  bool is_bounce_address(const mail::ForwardPath& path) const;

  const SenderRewrite& senders() const { return senders_; }

 private:
  Planner(AliasMap aliases, SenderRewrite senders, Strategy strategy,
          const settings::Settings& settings);

  struct Ways;

  SenderRewrite::Occasion occasion(const Incoming& message,
                                   const std::optional<Evidence>& evidence) const;

  /// True for an address in our SRS domain, unless it is an alias in that domain: we may forward
  /// for the SRS domain, too.
  bool is_srs_address(const mail::Mailbox& mailbox) const;

  /// A role address that [defaults] postmaster receives, in a domain that has no aliases.
  bool is_role(const mail::Mailbox& mailbox) const;

  /// The mark by which a copy names the alias that it came through. None for SRS addresses, for a
  /// bare <postmaster>, and for an alias in UTF-8, whose name would make the message need SMTPUTF8.
  mail::AliasMark mark_for(const ResolvedRecipient& recipient) const;

  /// Who gets the mail for an address of ours. `rule` begins what the log says of it.
  Resolution expanded(const mail::Mailbox& mailbox, const mail::ForwardPath& original,
                      std::string_view rule, base::WallTime now) const;

  AliasMap aliases_;
  SenderRewrite senders_;
  Strategy strategy_;
  std::shared_ptr<const settings::ConfirmedTargets> confirmed_;  ///< null: no consent is required
  DmarcSettings default_dmarc_;
  std::string tag_field_;
  mail::AliasMark mark_ = mail::AliasMark::None;
  std::string hostname_;
  std::optional<mail::Mailbox> postmaster_;
  std::optional<mail::Domain> first_domain_;
};

}  // namespace relay::forward
