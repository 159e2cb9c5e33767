#include "relay/forward/alias_map.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "relay/base/text.hpp"
#include "relay/forward/policy.hpp"
#include "relay/forward/roles.hpp"
#include "relay/mail/folding.hpp"

namespace relay::forward {

namespace {

Rejection no_such_user() { return {550, {5, 1, 1}, "No such user here"}; }

/// "${name}" and "${1}" replaced by what the expression captured.
std::string filled(const std::string& pattern, const std::map<std::string, std::string>& groups) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size();) {
    const std::size_t close = pattern.find('}', i);
    if (pattern.compare(i, 2, "${") == 0 && close != std::string::npos) {
      const auto group = groups.find(pattern.substr(i + 2, close - i - 2));
      if (group != groups.end()) out += group->second;
      i = close + 1;
    } else {
      out += pattern[i++];
    }
  }
  return out;
}

/// The target with the tag ("+tag") appended to its local part; the target as it is when the result
/// would be longer than every host accepts.
mail::Mailbox with_tag(const mail::Mailbox& target, std::string_view tag) {
  if (tag.empty()) return target;
  auto tagged = mail::Mailbox::make(target.local_part() + std::string(tag), target.domain());
  const bool fits = tagged && tagged->quoted_local_part().size() <= mail::kMaxLocalPartOctets;
  return fits ? *tagged : target;
}

/// Where the tag begins in a local part as it was written; npos: it has none.
std::size_t tag_begin(std::string_view local_part, char separator) {
  if (separator == '\0') return std::string_view::npos;
  for (std::size_t i = 1; i < local_part.size(); ++i) {
    if (base::lower(local_part[i]) == separator) return i;
  }
  return std::string_view::npos;
}

/// The name of a rule for one local part. It has the whole address, because redaction of the log
/// finds local parts in whole addresses only.
std::string named(std::string_view kind, const std::string& local_part,
                  const mail::Domain& domain) {
  const auto address = mail::Mailbox::make(local_part, domain);
  return fmt::format("{} {}", kind, address ? address->to_string() : domain.text());
}

/// The first moment behind a second.
base::WallTime end_of(std::int64_t unix_second) {
  return base::WallTime(std::chrono::seconds(unix_second + 1));
}

}  // namespace

std::expected<AliasMap, std::string> AliasMap::make(std::shared_ptr<const Policy> policy) {
  AliasMap map;
  map.policy_ = std::move(policy);
  if (const auto& postmaster = map.policy_->defaults.postmaster) {
    map.postmaster_ = std::make_shared<const Alias>(
        Alias{.local_part = "postmaster", .targets = {*postmaster}, .reject = {}, .keep_tag = {}});
  }
  map.names_ = HostedDomains(*map.policy_);
  for (const HostedDomain& domain : map.policy_->domains) {
    Hosted& hosted = map.domains_[&domain];
    if (domain.map_to) hosted.map_to = &*domain.map_to;
    hosted.dmarc = domain.dmarc.over(map.policy_->defaults.dmarc);
    hosted.aliases.reserve(domain.aliases.size());
    for (const Alias& alias : domain.aliases) {
      hosted.aliases.try_emplace(alias.local_part, &alias);  // the first that names it wins
    }
    for (const forward::Pattern& pattern : domain.patterns) {
      RE2::Options options;
      options.set_log_errors(false);
      options.set_case_sensitive(false);
      auto expression = std::make_unique<RE2>(pattern.match, options);
      if (!expression->ok()) return std::unexpected("pattern " + pattern.match + " is not valid");
      hosted.patterns.push_back({std::move(expression), pattern.targets});
    }
  }
  return map;
}

std::expected<AliasHit, Rejection> AliasMap::taken(const Hosted& hosted, const Alias& alias,
                                                   std::string rule, std::string_view tag,
                                                   base::WallTime now) const {
  if (alias.reject) {
    return std::unexpected(*alias.reject);
  }
  if (alias.expires && now >= end_of(*alias.expires)) {
    return std::unexpected(Rejection{550, {5, 2, 1}, "This address has expired"});
  }
  const bool keep = alias.keep_tag.value_or(policy_->defaults.keep_tag);
  AliasHit hit{.targets = {},
               .rule = std::move(rule),
               .dmarc = alias.dmarc.over(hosted.dmarc),
               .discards = alias.discard,
               .max_size = alias.max_size,
               .fallback = alias.fallback};
  for (const auto& target : alias.targets) {
    hit.targets.push_back(with_tag(target, keep ? tag : std::string_view()));
  }
  return hit;
}

const Alias* AliasMap::alias_of(const Hosted& hosted, const mail::Domain& domain,
                                const std::string& local_part) const {
  if (local_part == "*") return nullptr;
  const auto found = hosted.aliases.find(local_part);
  if (found != hosted.aliases.end()) return found->second;
  if (!postmaster_) return nullptr;
  const bool is_host_name = domain.folded() == policy_->hostname;
  const auto roles = roles_at(is_host_name, policy_->is_srs_domain(domain));
  return std::ranges::find(roles, local_part) == roles.end() ? nullptr : postmaster_.get();
}

std::expected<AliasHit, Rejection> AliasMap::find(const mail::Mailbox& mailbox,
                                                  base::WallTime now) const {
  const HostedDomain& domain = *names_.find(mailbox.domain().folded());
  auto hit = look_up(domains_.at(&domain), mailbox, now);
  if (hit && domain.is_wildcard) hit->rule += " of " + domain.text();
  return hit;
}

std::expected<AliasHit, Rejection> AliasMap::look_up(const Hosted& hosted,
                                                     const mail::Mailbox& mailbox,
                                                     base::WallTime now) const {
  const std::string& written = mailbox.local_part();
  const std::string local = mail::folded_local_part(written);
  if (const Alias* exact = alias_of(hosted, mailbox.domain(), local)) {
    return taken(hosted, *exact, named("exact", local, mailbox.domain()), {}, now);
  }
  // Search for the tag in the local part as written: folding can change octet positions.
  const std::size_t tag = tag_begin(written, policy_->defaults.tag);
  if (tag != std::string::npos) {
    const std::string base_name = mail::folded_local_part(written.substr(0, tag));
    if (const Alias* found = alias_of(hosted, mailbox.domain(), base_name)) {
      return taken(hosted, *found, named("tag", base_name, mailbox.domain()),
                   std::string_view(written).substr(tag), now);
    }
  }
  if (!hosted.patterns.empty()) {
    // Patterns get the local part unfolded: a captured group may be a token whose case matters (RFC
    // 5321 §2.4).
    auto matched = by_pattern(hosted, mail::composed(written));
    if (matched || matched.error().status != mail::EnhancedStatus{}) return matched;
  }
  return fallback(hosted, mailbox, now);
}

/// An error with status 2.0.0 means that no pattern matched.
std::expected<AliasHit, Rejection> AliasMap::by_pattern(const Hosted& hosted,
                                                        const std::string& local) const {
  for (std::size_t i = 0; i < hosted.patterns.size(); ++i) {
    const RE2& expression = *hosted.patterns[i].expression;
    const auto count = static_cast<std::size_t>(expression.NumberOfCapturingGroups());
    std::vector<re2::StringPiece> pieces(count + 1);
    if (!expression.Match(local, 0, local.size(), RE2::ANCHOR_BOTH, pieces.data(),
                          static_cast<int>(count + 1))) {
      continue;
    }
    std::map<std::string, std::string> groups;
    for (std::size_t g = 0; g <= count; ++g) groups[std::to_string(g)] = std::string(pieces[g]);
    for (const auto& [name, number] : expression.NamedCapturingGroups()) {
      groups[name] = groups[std::to_string(number)];
    }
    AliasHit hit{.targets = {}, .rule = fmt::format("pattern {}", i + 1), .dmarc = hosted.dmarc};
    for (const std::string& target : hosted.patterns[i].targets) {
      std::string text = filled(target, groups);
      if (auto address = mail::Mailbox::parse(text)) {
        hit.targets.push_back(std::move(*address));
      } else {
        hit.no_addresses.push_back(std::move(text));
      }
    }
    if (hit.targets.empty()) return std::unexpected(no_such_user());
    return hit;
  }
  return std::unexpected(Rejection{0, mail::EnhancedStatus{}, ""});
}

std::expected<AliasHit, Rejection> AliasMap::fallback(const Hosted& hosted,
                                                      const mail::Mailbox& mailbox,
                                                      base::WallTime now) const {
  if (hosted.map_to != nullptr) {
    auto mapped = mail::Mailbox::make(mailbox.local_part(), *hosted.map_to);
    if (mapped)
      return AliasHit{.targets = {std::move(*mapped)},
                      .rule = "map " + hosted.map_to->folded(),
                      .dmarc = hosted.dmarc};
  }
  if (const auto all = hosted.aliases.find("*"); all != hosted.aliases.end()) {
    return taken(hosted, *all->second, "catch-all", {}, now);
  }
  if (policy_->defaults.unknown == UnknownRecipient::TempFail) {
    return std::unexpected(Rejection{450, {4, 1, 1}, "User unknown for now, try again later"});
  }
  return std::unexpected(no_such_user());
}

}  // namespace relay::forward
