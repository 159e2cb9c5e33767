// Decides, without asking anybody: is this recipient ours, who gets the mail, under which sender.
// Immutable; one Planner serves all threads until the next reload.
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
#include "relay/forward/sender_rewrite.hpp"
#include "relay/forward/strategy.hpp"
#include "relay/mail/header.hpp"
#include "relay/mail/message.hpp"
#include "relay/settings/settings.hpp"

namespace relay::forward {

inline constexpr std::size_t kMaxTargets = 1000;  ///< of one message

/// What the aliases on the way to a target ask for.
struct TargetTerms {
  std::uint64_t max_size = 0;  ///< octets of a message; 0: any
  std::uint16_t fallback = 0;  ///< place in ResolvedRecipient::fallbacks, from 1; 0: none

  bool takes(std::uint64_t size) const { return max_size == 0 || size <= max_size; }
};

/// Where mail goes that no target of an alias took. A fallback of its own, if it is an alias of
/// ours, is not followed.
struct Fallback {
  std::vector<mail::Mailbox> targets;  ///< outside our domains; none: it leads nowhere
  std::vector<TargetTerms> terms;      ///< beside `targets`
};

/// A recipient we take responsibility for.
struct ResolvedRecipient {
  mail::ForwardPath original;
  std::vector<mail::Mailbox> targets;  ///< outside our domains, without duplicates
  bool is_bounce = false;              ///< a reversed SRS address
  bool weak = false;                   ///< … whose hash proves little
  bool guessable = false;              ///< … of a scheme whose tags can be found by trying
  std::string rule;                    ///< how it was found, for log and `resolve`
  /// Of the first alias on the way, its domain, or the defaults. The recipients of one message must
  /// agree in it: a message is refused or not, and held or not, as a whole.
  DmarcSettings dmarc;
  std::vector<mail::Mailbox> discards = {};  ///< aliases on the way that throw their mail away
  std::vector<TargetTerms> terms = {};       ///< beside `targets`; or none, where none ask for any
  std::vector<Fallback> fallbacks = {};

  /// Some copy may be made of a message of so many octets.
  bool takes(std::uint64_t size) const {
    return !discards.empty() || terms.size() < targets.size() ||
           std::ranges::any_of(terms, [&](const TargetTerms& one) { return one.takes(size); });
  }

  TargetTerms terms_of(std::size_t target) const {
    return target < terms.size() ? terms[target] : TargetTerms();
  }

  std::size_t copies() const { return targets.size() + discards.size(); }

  /// Precondition: one was taken, so there is one.
  const mail::Mailbox& first_target() const {
    return targets.empty() ? discards.front() : targets.front();
  }
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
  std::vector<std::size_t> chosen;  ///< for each route, its place in `choices`
};

/// A message that is to be forwarded. The references are the caller's.
struct Incoming {
  const mail::MessageId& id;
  const mail::ReversePath& sender;    ///< whom an SRS address of ours stands for, not that address
  const std::string& client_address;  ///< IP
  base::WallTime now;
  std::uint64_t size = 0;  ///< of the content, in octets
  /// Whom From names: asked where incoming mail is not verified, and nobody knows more of the
  /// author.
  NamedAuthors authors = std::unexpected(mail::AuthorProblem::Nobody);
  LateRefusal late = LateRefusal::Refuse;
  /// Why its client would have been refused, had it come without a gateway that is not to hear so;
  /// else "".
  std::string unwelcome = {};
};

/// A message that is not forwarded, with what was decided until then; the last choice refuses it.
struct PlanRefusal : Rejection {
  std::vector<Choice> choices;
};

class Planner {
 public:
  static std::expected<std::shared_ptr<const Planner>, std::string> make(
      const std::shared_ptr<const settings::Settings>& settings,
      OrganisationOf organisation_of = {});

  /// At RCPT. Whoever asks about a live SRS address of ours hears that it is one; what may come
  /// back by it is decided when the content is there.
  Resolution resolve(const mail::ForwardPath& path, base::WallTime now) const;

  /// Whom a sender in our SRS domain stands for: somebody sends under an address that we made for a
  /// copy. nullopt: it is none of ours, not live any more, or leads nowhere.
  std::optional<std::variant<mail::Mailbox, TokenLookup, NobodyBehind>> sender_behind(
      const mail::ReversePath& sender, base::WallTime now) const;

  bool is_srs_sender(const mail::ReversePath& sender) const {
    return !sender.is_null() && is_srs_address(sender.mailbox());
  }

  /// After the token of a TokenLookup was found.
  Resolution resolve_token(const mail::ForwardPath& original, const mail::ReversePath& recovered,
                           base::WallTime now) const;

  /// One route per distinct target, each on the way that Strategy chose for it. Without evidence
  /// (incoming mail is not verified) the null sender stays null, what bounces back has it, and
  /// everybody else gets an SRS address; but an author in From is lent no name that could be taken
  /// for his: then the sender stays, and if that could be, too, the message is refused. Copies that
  /// are too large for their aliases have ended as refused.
  std::expected<Plan, PlanRefusal> plan(const Incoming& message,
                                        const std::vector<ResolvedRecipient>& recipients,
                                        const std::optional<Evidence>& evidence) const;

  /// The sender may not be stored: its copies leave under the address of the message instead.
  void give_up_sender(Plan& plan, const Incoming& message,
                      const std::optional<Evidence>& evidence) const;

  /// The header with a new author, for Handling::new_author; nullopt when it has no author that
  /// could be replaced. `via` is the domain that the reader knows the alias by.
  std::optional<std::string> rewritten_header(const mail::Header& header,
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

  SenderRewrite::Occasion occasion(const Incoming& message,
                                   const std::optional<Evidence>& evidence) const;

  /// In our SRS domain, and no alias of that domain, which may be forwarded as well.
  bool is_srs_address(const mail::Mailbox& mailbox) const;

  /// An address that [defaults] postmaster answers for, where it is no alias of ours.
  bool is_role(const mail::Mailbox& mailbox) const;

  /// Precondition: [defaults] names a postmaster, who is followed like any address.
  Resolution resolve_role(const mail::ForwardPath& path, base::WallTime now) const;

  /// How a copy names the alias that it came through: not one that is an SRS address, has no
  /// domain, or would make a message that needs SMTPUTF8 of one that does not.
  mail::AliasMark mark_for(const ResolvedRecipient& recipient) const;

  static std::optional<Rejection> note_dead(const mail::Mailbox& mailbox, Rejection why,
                                            Expansion& into);
  std::optional<Rejection> expand(const mail::Mailbox& mailbox, Expansion& into) const;
  /// The refusal when not one branch leads anywhere.
  std::optional<Rejection> expand_all(const mail::Mailbox& mailbox, Expansion& into) const;
  /// Where the fallbacks lead that were met on the way.
  void expand_fallbacks(Expansion& into) const;

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
