// The addresses that are ours, and who is behind each: the targets of an alias, the operator at a
// role address, the sender behind an SRS address. Says nothing of how a copy leaves.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "relay/base/time.hpp"
#include "relay/forward/alias_map.hpp"
#include "relay/forward/confirmed_targets.hpp"
#include "relay/forward/dmarc_settings.hpp"
#include "relay/forward/rejection.hpp"
#include "relay/forward/resolved_recipient.hpp"
#include "relay/forward/sender_rewrite.hpp"
#include "relay/mail/address.hpp"

namespace relay::forward {

/// The sender that a message is handled as from.
struct SenderBehind {
  std::variant<mail::ReversePath, TokenLookup> sender;
  bool guessable = false;  ///< it came as an SRS address whose tag could be found by trying
};

class Directory {
 public:
  /// The error names the key at fault.
  static std::expected<Directory, std::string> make(const std::shared_ptr<const Policy>& policy);

  /// At RCPT. A live SRS address of ours is always accepted here; whether the message may come back
  /// by it is decided after its content.
  Resolution resolve(const mail::ForwardPath& path, base::WallTime now) const;

  /// Completes a TokenLookup: `recovered` is the sender that was stored under the token.
  Resolution resolve_token(const mail::ForwardPath& original, const mail::ReversePath& recovered,
                           base::WallTime now) const;

  /// Whom the sender in MAIL FROM stands for. A live SRS address of ours stands for the sender
  /// behind it, any other address in an SRS domain of ours is refused, and every other sender
  /// stands for itself; so does an address that we made for a message whose sender cannot be
  /// answered: copies get such an address again.
  std::expected<SenderBehind, Rejection> sender_behind(const mail::ReversePath& sender,
                                                       base::WallTime now) const;

  bool is_ours(const mail::Domain& domain) const;

  bool is_srs_sender(const mail::ReversePath& sender) const {
    return !sender.is_null() && is_srs_address(sender.mailbox());
  }

  /// True for an address in the form of our SRS addresses, whether its tag is valid or not.
  bool is_bounce_address(const mail::ForwardPath& path) const;

  /// The address whose consent copies for this target must wait for; "": they need none.
  std::string awaited(const mail::Mailbox& target) const {
    return confirmed_ ? confirmed_->awaited(target) : std::string();
  }

  /// The addresses that targets of this recipient wait for. Bounces need no consent: they go to
  /// somebody who has written before.
  std::vector<std::string> awaited(const ResolvedRecipient& recipient) const;

  const DmarcSettings& default_dmarc() const { return default_dmarc_; }  ///< from [defaults]

  const SenderRewrite& senders() const { return senders_; }

 private:
  Directory(AliasMap aliases, SenderRewrite senders, const Policy& policy);

  /// True for an address in our SRS domain, unless it is an alias in that domain: we may forward
  /// for the SRS domain, too.
  bool is_srs_address(const mail::Mailbox& mailbox) const;

  /// A role address that [defaults] postmaster receives, in a domain that has no aliases.
  bool is_role(const mail::Mailbox& mailbox) const;

  Resolution resolve_srs(const mail::ForwardPath& path, base::WallTime now) const;

  /// Who gets the mail for an address of ours. `rule` begins what the log says of it.
  Resolution expanded(const mail::Mailbox& mailbox, const mail::ForwardPath& original,
                      std::string_view rule, base::WallTime now) const;

  AliasMap aliases_;
  SenderRewrite senders_;
  std::shared_ptr<const ConfirmedTargets> confirmed_;  ///< null: no consent is required
  DmarcSettings default_dmarc_;
  std::string hostname_;
  std::optional<mail::Mailbox> postmaster_;
  std::optional<mail::Domain> first_domain_;
};

}  // namespace relay::forward
