#include "relay/forward/directory.hpp"

#include <algorithm>
#include <utility>

#include "relay/base/text.hpp"
#include "relay/forward/alias_expansion.hpp"
#include "relay/forward/policy.hpp"
#include "relay/forward/roles.hpp"

namespace relay::forward {

namespace {

/// True for a local part that begins like an SRS0, SRS1, token or message address of ours. Only
/// such addresses are bounce addresses when the SRS domain has aliases, too.
bool has_srs_form(const mail::Mailbox& mailbox) {
  const std::string_view local = mailbox.local_part();
  return local.size() > 4 && base::starts_with_ignoring_case(local, "srs") &&
         std::string_view("01tTmM").contains(local[3]) &&
         (local[4] == '=' || local[4] == '+' || local[4] == '-');
}

Rejection relaying_denied() { return {550, {5, 7, 1}, "Relaying denied"}; }

}  // namespace

std::expected<Directory, std::string> Directory::make(const std::shared_ptr<const Policy>& policy) {
  auto aliases = AliasMap::make(policy);
  if (!aliases) return std::unexpected(aliases.error());
  auto senders = SenderRewrite::make(*policy);
  if (!senders) return std::unexpected(senders.error());
  return Directory(std::move(*aliases), std::move(*senders), *policy);
}

Directory::Directory(AliasMap aliases, SenderRewrite senders, const Policy& policy)
    : aliases_(std::move(aliases)),
      senders_(std::move(senders)),
      confirmed_(policy.consent.confirmed),
      default_dmarc_(policy.defaults.dmarc),
      hostname_(policy.hostname),
      postmaster_(policy.defaults.postmaster) {
  const auto first = std::ranges::find(policy.domains, false, &HostedDomain::is_wildcard);
  if (first != policy.domains.end()) first_domain_ = first->name;
}

bool Directory::is_ours(const mail::Domain& domain) const {
  return aliases_.is_ours(domain) || senders_.is_srs_domain(domain) || domain.folded() == hostname_;
}

bool Directory::is_bounce_address(const mail::ForwardPath& path) const {
  return !path.is_bare_postmaster() && is_srs_address(path.mailbox());
}

bool Directory::is_srs_address(const mail::Mailbox& mailbox) const {
  return senders_.is_srs_domain(mailbox.domain()) &&
         (has_srs_form(mailbox) || !aliases_.is_ours(mailbox.domain()));
}

bool Directory::is_role(const mail::Mailbox& mailbox) const {
  const bool is_host_name = mailbox.domain().folded() == hostname_;
  const bool is_srs_domain = senders_.is_srs_domain(mailbox.domain());
  if (!is_host_name && !is_srs_domain) return false;
  if (aliases_.is_ours(mailbox.domain())) return false;  // roles are among its aliases
  const auto roles = roles_at(is_host_name, is_srs_domain);
  return std::ranges::find(roles, base::lower(mailbox.local_part())) != roles.end();
}

Resolution Directory::expanded(const mail::Mailbox& mailbox, const mail::ForwardPath& original,
                               std::string_view rule, base::WallTime now) const {
  AliasExpansion expansion(aliases_, confirmed_.get(), now);
  if (auto refusal = expansion.expand(mailbox)) return std::move(*refusal);
  return std::move(expansion).recipient(original, rule, default_dmarc_);
}

Resolution Directory::resolve(const mail::ForwardPath& path, base::WallTime now) const {
  const bool bare = path.is_bare_postmaster();
  if (postmaster_ && (bare || is_role(path.mailbox()))) {  // its address is followed like any other
    return expanded(*postmaster_, path, "postmaster", now);
  }
  if (bare && !first_domain_) return relaying_denied();
  const mail::Mailbox mailbox =
      bare ? *mail::Mailbox::make("postmaster", *first_domain_) : path.mailbox();
  if (is_bounce_address(path)) return resolve_srs(path, now);
  if (!aliases_.is_ours(mailbox.domain())) return relaying_denied();
  return expanded(mailbox, path, "", now);
}

Resolution Directory::resolve_srs(const mail::ForwardPath& path, base::WallTime now) const {
  auto reversed = senders_.reverse(path.mailbox(), now);
  if (!reversed) return reversed.error();
  if (const auto* lookup = std::get_if<TokenLookup>(&*reversed)) return *lookup;
  if (const auto* nobody = std::get_if<NobodyBehind>(&*reversed)) {
    return ResolvedRecipient{.original = path,
                             .targets = {},
                             .is_bounce = true,
                             .rule = "srs, sender of message " + nobody->message,
                             .dmarc = default_dmarc_,
                             .discards = {path.mailbox()}};
  }
  const auto& origin = std::get<Origin>(*reversed);
  Resolution resolution = resolve_token(path, mail::ReversePath(origin.sender), now);
  if (auto* taken = std::get_if<ResolvedRecipient>(&resolution)) {
    taken->weak = origin.weak;
    taken->guessable = origin.guessable;
  } else if (auto* rejection = std::get_if<Rejection>(&resolution)) {
    rejection->guessable = origin.guessable;
  }
  return resolution;
}

Resolution Directory::resolve_token(const mail::ForwardPath& original,
                                    const mail::ReversePath& recovered, base::WallTime now) const {
  if (recovered.is_null()) return SenderRewrite::bad_srs_address();
  const mail::Mailbox& sender = recovered.mailbox();
  // Never to an address outside the DNS, and never to another SRS address of ours (loop).
  if (!sender.domain().is_dotted() || is_srs_address(sender)) {
    return SenderRewrite::bad_srs_address();
  }
  if (!aliases_.is_ours(sender.domain())) {
    return ResolvedRecipient{.original = original,
                             .targets = {sender},
                             .is_bounce = true,
                             .rule = "srs",
                             .dmarc = default_dmarc_};
  }
  Resolution found = expanded(sender, original, "srs", now);
  if (auto* taken = std::get_if<ResolvedRecipient>(&found)) taken->is_bounce = true;
  return found;
}

std::expected<SenderBehind, Rejection> Directory::sender_behind(const mail::ReversePath& sender,
                                                                base::WallTime now) const {
  if (!is_srs_sender(sender)) return SenderBehind{.sender = sender};
  auto reversed = senders_.reverse(sender.mailbox(), now);
  if (!reversed) {
    const Rejection& why = reversed.error();
    return std::unexpected(SenderRewrite::bad_srs_sender(why.bad_bounce_address, why.guessable));
  }
  if (auto* lookup = std::get_if<TokenLookup>(&*reversed)) return SenderBehind{std::move(*lookup)};
  if (std::holds_alternative<NobodyBehind>(*reversed)) return SenderBehind{.sender = sender};
  auto& origin = std::get<Origin>(*reversed);
  return SenderBehind{.sender = mail::ReversePath(std::move(origin.sender)),
                      .guessable = origin.guessable};
}

std::vector<std::string> Directory::awaited(const ResolvedRecipient& recipient) const {
  std::vector<std::string> addresses;
  if (recipient.is_bounce || !confirmed_) return addresses;
  for (const mail::Mailbox& target : recipient.targets) {
    std::string address = awaited(target);
    if (!address.empty()) addresses.push_back(std::move(address));
  }
  return addresses;
}

}  // namespace relay::forward
