// Checks of targets in our own domains.
#include "relay/review/targets.hpp"

#include <algorithm>
#include <variant>

#include <fmt/format.h>

#include "relay/base/closest.hpp"
#include "relay/base/text.hpp"
#include "relay/forward/policy.hpp"
#include "relay/mail/folding.hpp"

namespace relay::review {

namespace {

using forward::Alias;
using forward::HostedDomain;

constexpr mail::EnhancedStatus kRoutingLoop{5, 4, 6};
constexpr mail::EnhancedStatus kNotAuthorised{5, 7, 1};
constexpr mail::EnhancedStatus kExpired{5, 2, 1};

constexpr const char* kElsewhere = "name a mailbox elsewhere";
constexpr const char* kExisting = "name an alias that takes mail, or a mailbox elsewhere";

/// The domain entry with this name, else the longest wildcard above it.
const HostedDomain* hosted(const forward::Policy& policy, const mail::Domain& name) {
  const HostedDomain* above = nullptr;
  for (const HostedDomain& domain : policy.domains) {
    const std::string& text = domain.name.folded();
    if (!domain.is_wildcard && domain.name == name) return &domain;
    const bool is_above = domain.is_wildcard && name.folded().ends_with('.' + text);
    if (is_above && (above == nullptr || above->name.folded().size() < text.size()))
      above = &domain;
  }
  return above;
}

/// A hint at an alias of the domain with a similar name, unless there are too many to compare.
std::string similar(const HostedDomain& domain, const std::string& local_part) {
  constexpr std::size_t kMostCompared = 10'000;
  if (domain.aliases.size() > kMostCompared) return kExisting;
  std::vector<std::string> names;
  names.reserve(domain.aliases.size());
  for (const Alias& alias : domain.aliases) names.push_back(alias.local_part);
  const std::string folded = mail::folded_local_part(local_part);
  if (std::ranges::find(names, folded) != names.end()) return kExisting;  // it is refused
  const std::string near = base::closest(folded, names);
  return near.empty() ? kExisting : fmt::format("did you mean {}@{}?", near, domain.text());
}

/// Whether the domain is an address literal of this host: "[192.0.2.1]" or "[IPv6:2001:db8::1]".
bool is_own_literal(const Subject& subject, const mail::Domain& domain) {
  if (!domain.is_literal()) return false;
  std::string text = domain.text().substr(1, domain.text().size() - 2);
  if (base::starts_with_ignoring_case(text, "ipv6:")) text.erase(0, 5);
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(text, error);
  return !error && std::ranges::find(subject.own, address) != subject.own.end();
}

std::string name_of(const Alias& alias, const HostedDomain& domain) {
  return alias.local_part + '@' + domain.text();
}

/// Checks the alias as a whole, none of whose targets is a dead end: there may be too many of them,
/// or one of them leads back by the rules of its domain.
void ask_for_alias(const Subject& subject, const Alias& alias, const HostedDomain& domain,
                   Doubts& doubts) {
  const bool is_catch_all = alias.local_part == "*";
  const auto mailbox =
      mail::Mailbox::make(is_catch_all ? kNobody : alias.local_part, domain.example());
  if (!mailbox) return;
  const auto found = subject.planner.directory().resolve(mail::ForwardPath(*mailbox), subject.now);
  if (const auto* refused = std::get_if<forward::Rejection>(&found)) {
    if (is_catch_all) return;  // its targets were asked about each
    doubts.add(alias.at, alias.local_part,
               fmt::format("{} takes no mail: {}", name_of(alias, domain), text_of(*refused)),
               "give it fewer targets, or a mailbox elsewhere");
  } else if (const auto* taken = std::get_if<forward::ResolvedRecipient>(&found)) {
    for (const forward::DeadMember& one : taken->dead) {
      if (one.status != kRoutingLoop) continue;  // a fallback may confirm later
      if (one.is_fallback) {
        if (alias.fallback && one.address == alias.fallback->to_string()) {
          doubts.add(alias.at, one.address,
                     fmt::format("{} has a fallback that never helps: {} {}",
                                 name_of(alias, domain), one.address, one.why),
                     kElsewhere);
        }
        continue;
      }
      // A loop that other aliases are in is named there.
      if (!is_catch_all && one.address != mailbox->to_string()) continue;
      doubts.add(alias.at, is_catch_all ? one.address : alias.local_part,
                 fmt::format("{} leads back to itself by {}", name_of(alias, domain), one.address),
                 kElsewhere);
    }
  }
}

void look_at_alias(const Subject& subject, const Alias& alias, const HostedDomain& domain,
                   Doubts& doubts) {
  bool leads_inside = false;
  bool has_dead = false;
  std::vector<mail::Mailbox> targets = alias.targets;
  if (alias.fallback) targets.push_back(*alias.fallback);
  for (const mail::Mailbox& target : targets) {
    leads_inside = leads_inside || subject.planner.directory().is_ours(target.domain());
    auto dead = dead_end(subject, target);
    if (!dead) continue;
    has_dead = true;
    doubts.add(
        alias.at, target.to_string(),
        fmt::format("{} leads to {}, {}", name_of(alias, domain), target.to_string(), dead->why),
        std::move(dead->hint));
  }
  if ((leads_inside || alias.fallback) && !has_dead) ask_for_alias(subject, alias, domain, doubts);
}

}  // namespace

std::string text_of(const forward::Rejection& refused) {
  return fmt::format("{} {} {}", refused.code, refused.status.to_string(), refused.text);
}

bool is_of_the_way(const forward::Rejection& refused) {
  return refused.status == kRoutingLoop || refused.status == kNotAuthorised;
}

std::optional<DeadEnd> dead_end(const Subject& subject, const mail::Mailbox& target) {
  if (is_own_literal(subject, target.domain())) {
    return DeadEnd{"which is this host: mail is not sent to ourselves", kElsewhere};
  }
  if (!subject.planner.directory().is_ours(target.domain())) return std::nullopt;
  const mail::ForwardPath path(target);
  if (subject.planner.directory().is_bounce_address(path)) {
    return DeadEnd{"an SRS address, by which only bounces come back, for a time",
                   "name the mailbox itself"};
  }
  const auto found = subject.planner.directory().resolve(path, subject.now);
  const auto* refused = std::get_if<forward::Rejection>(&found);
  if (refused == nullptr) return std::nullopt;
  const HostedDomain* domain = hosted(subject.forwarding, target.domain());
  if (domain == nullptr) {
    return DeadEnd{
        "which leads back to this host, where it is no alias: " + text_of(*refused),
        "name a mailbox elsewhere, or host " + target.domain().folded() + " in a [[domain]]"};
  }
  if (refused->status == kRoutingLoop) {
    return DeadEnd{"which goes round: " + text_of(*refused), kElsewhere};
  }
  return DeadEnd{"which takes no mail: " + text_of(*refused),
                 similar(*domain, target.local_part())};
}

void targets_of_aliases(const Subject& subject, Doubts& doubts) {
  for (const HostedDomain& domain : subject.forwarding.domains) {
    for (const Alias& alias : domain.aliases) {
      if (!alias.reject) look_at_alias(subject, alias, domain, doubts);
    }
  }
}

void mapped_domains(const Subject& subject, Doubts& doubts) {
  for (const HostedDomain& domain : subject.forwarding.domains) {
    if (!domain.map_to || !subject.planner.directory().is_ours(*domain.map_to)) continue;
    const std::string& name = domain.map_to->folded();
    const auto found = subject.planner.directory().resolve(
        mail::ForwardPath(*mail::Mailbox::make(kNobody, *domain.map_to)), subject.now);
    const auto* refused = std::get_if<forward::Rejection>(&found);
    if (refused == nullptr) continue;
    const HostedDomain* other = hosted(subject.forwarding, *domain.map_to);
    const bool is_empty = other != nullptr && other->aliases.empty() && other->patterns.empty();
    // Unknown names are refused there, but the domain has aliases or patterns that are found.
    if (!is_of_the_way(*refused) && !is_empty) continue;
    doubts.add(domain.map_to_at, name,
               fmt::format("{} is mapped to {}, where nothing is found: {}", domain.text(), name,
                           text_of(*refused)),
               "give that domain aliases, or name another one");
  }
}

namespace {

/// The loader does not see this: it knows no date, and is silent if [defaults] names a postmaster,
/// although an alias of that name goes first.
void postmaster_of(const Subject& subject, const HostedDomain& domain, Doubts& doubts) {
  const auto alias = std::ranges::find(domain.aliases, "postmaster", &Alias::local_part);
  if (alias == domain.aliases.end()) return;
  const auto mailbox = mail::Mailbox::make(alias->local_part, domain.example());
  if (!mailbox) return;
  const bool nobody = alias->reject || alias->discard;
  const auto found = subject.planner.directory().resolve(mail::ForwardPath(*mailbox), subject.now);
  const auto* refused = std::get_if<forward::Rejection>(&found);
  const bool has_expired = alias->expires && refused && refused->status == kExpired;
  if (!has_expired && !(nobody && subject.forwarding.defaults.postmaster)) return;
  doubts.add(alias->at, alias->local_part,
             fmt::format("nobody reads {} (RFC 5321 §4.5.1): {}", name_of(*alias, domain),
                         has_expired ? "it has expired" : "this alias goes before [defaults]"),
             kExisting);
}

}  // namespace

/// A postmaster at one of our other names is checked by the loader.
void postmaster(const Subject& subject, Doubts& doubts) {
  for (const HostedDomain& domain : subject.forwarding.domains) {
    postmaster_of(subject, domain, doubts);
  }
  const auto& postmaster = subject.forwarding.defaults.postmaster;
  if (!postmaster || hosted(subject.forwarding, postmaster->domain()) == nullptr) return;
  auto dead = dead_end(subject, *postmaster);
  if (!dead) return;
  doubts.add(
      subject.forwarding.defaults.postmaster_at, postmaster->to_string(),
      fmt::format("defaults.postmaster: nobody reads {}, {}", postmaster->to_string(), dead->why),
      std::move(dead->hint));
}

}  // namespace relay::review
