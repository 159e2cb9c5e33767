#include "relay/forward/alias_map.hpp"

#include <map>

#include <fmt/format.h>

#include "relay/base/text.hpp"

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

/// The target with "+tag" behind its local part, or as it is where that would not fit.
mail::Mailbox with_tag(const mail::Mailbox& target, std::string_view tag) {
  if (tag.empty()) return target;
  auto tagged = mail::Mailbox::make(target.local_part() + std::string(tag), target.domain());
  return tagged ? *tagged : target;
}

}  // namespace

std::expected<AliasMap, std::string> AliasMap::make(
    std::shared_ptr<const settings::Settings> settings) {
  AliasMap map;
  map.settings_ = std::move(settings);
  if (const auto& postmaster = map.defaults().postmaster) {
    map.postmaster_ = std::make_unique<const settings::Alias>(settings::Alias{
        .local_part = "postmaster", .targets = {*postmaster}, .reject = {}, .keep_tag = {}});
  }
  for (const settings::HostedDomain& domain : map.settings_->domains) {
    Hosted& hosted = map.domains_[domain.name.folded()];
    if (domain.map_to) hosted.map_to = &*domain.map_to;
    hosted.dmarc = domain.dmarc.over(map.defaults().dmarc);
    hosted.aliases.reserve(domain.aliases.size() + 1);
    for (const settings::Alias& alias : domain.aliases) {
      hosted.aliases.try_emplace(alias.local_part, &alias);  // the first that names it wins
    }
    if (map.postmaster_) hosted.aliases.try_emplace("postmaster", map.postmaster_.get());
    for (const settings::Pattern& pattern : domain.patterns) {
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

std::expected<AliasHit, Rejection> AliasMap::taken(const Hosted& hosted,
                                                   const settings::Alias& alias, std::string rule,
                                                   std::string_view tag) const {
  if (alias.reject) {
    return std::unexpected(Rejection{alias.reject->code, alias.reject->status, alias.reject->text});
  }
  const bool keep = alias.keep_tag.value_or(defaults().keep_tag);
  AliasHit hit{.targets = {}, .rule = std::move(rule), .dmarc = alias.dmarc.over(hosted.dmarc)};
  for (const auto& target : alias.targets) {
    hit.targets.push_back(with_tag(target, keep ? tag : std::string_view()));
  }
  return hit;
}

std::expected<AliasHit, Rejection> AliasMap::find(const mail::Mailbox& mailbox) const {
  const Hosted& hosted = domains_.at(mailbox.domain().folded());
  const std::string local = base::lower(mailbox.local_part());
  if (const auto exact = hosted.aliases.find(local);
      exact != hosted.aliases.end() && local != "*") {
    return taken(hosted, *exact->second, "exact " + local, {});
  }
  const char separator = defaults().tag;
  const std::size_t tag = separator == '\0' ? std::string::npos : local.find(separator, 1);
  if (tag != std::string::npos) {
    const auto base_name = hosted.aliases.find(std::string_view(local).substr(0, tag));
    if (base_name != hosted.aliases.end()) {
      return taken(hosted, *base_name->second, "tag " + local.substr(0, tag),
                   std::string_view(mailbox.local_part()).substr(tag));
    }
  }
  if (!hosted.patterns.empty()) {
    auto matched = by_pattern(hosted, local);
    if (matched || matched.error().status != mail::EnhancedStatus{}) return matched;
  }
  return fallback(hosted, mailbox);
}

/// The status of the error is 2.0.0 when no pattern matched at all.
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
      auto address = mail::Mailbox::parse(filled(target, groups));
      if (!address) return std::unexpected(no_such_user());
      hit.targets.push_back(std::move(*address));
    }
    return hit;
  }
  return std::unexpected(Rejection{0, mail::EnhancedStatus{}, ""});
}

std::expected<AliasHit, Rejection> AliasMap::fallback(const Hosted& hosted,
                                                      const mail::Mailbox& mailbox) const {
  if (hosted.map_to != nullptr) {
    auto mapped = mail::Mailbox::make(mailbox.local_part(), *hosted.map_to);
    if (mapped)
      return AliasHit{{std::move(*mapped)}, "map " + hosted.map_to->folded(), hosted.dmarc};
  }
  if (const auto all = hosted.aliases.find("*"); all != hosted.aliases.end()) {
    return taken(hosted, *all->second, "catch-all", {});
  }
  if (defaults().unknown == settings::UnknownRecipient::TempFail) {
    return std::unexpected(Rejection{450, {4, 1, 1}, "User unknown for now, try again later"});
  }
  return std::unexpected(no_such_user());
}

}  // namespace relay::forward
