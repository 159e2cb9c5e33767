// Checks of aliases: keys that no address matches, and aliases that another one hides.
#include <unordered_map>

#include <fmt/format.h>

#include "relay/forward/policy.hpp"
#include "relay/review/review.hpp"

namespace relay::review {

namespace {

/// What to write instead of a key that cannot match; "": the key may match.
std::string instead_of(std::string_view key, const mail::Domain& domain) {
  if (key == "*") return {};
  if (key.starts_with('@')) return "for all other addresses of the domain write \"*\"";
  if (key.find(',') != std::string_view::npos) return "write a key of its own for each name";
  if (const std::size_t at = key.rfind('@'); at != std::string_view::npos) {
    const auto name = mail::Domain::parse(key.substr(at + 1));
    const bool elsewhere = name && *name != domain;
    return std::string("write what stands before the @") +
           (elsewhere ? " in the [[domain]] " + name->folded() : "");
  }
  if (key.find('*') != std::string_view::npos) {
    return "for part of a name write a [[domain.pattern]], as match = \"sales-.*\"";
  }
  if (key.find_first_of(" \t\"") != std::string_view::npos) {
    return "write the name without blanks and quotes";
  }
  return {};
}

/// Doubts are also in the log, whose redaction finds a local part by the domain behind it.
std::string named(const forward::Alias& alias, const forward::HostedDomain& domain) {
  return fmt::format("\"{}\"@{}", alias.local_part, domain.text());
}

bool has_one_source(const forward::HostedDomain& domain) {
  for (const forward::Alias& alias : domain.aliases) {
    if (alias.at.file != domain.aliases.front().at.file) return false;
  }
  return true;
}

}  // namespace

void aliases_that_never_match(const Subject& subject, Doubts& doubts) {
  for (const forward::HostedDomain& domain : subject.forwarding.domains) {
    for (const forward::Alias& alias : domain.aliases) {
      std::string hint = instead_of(alias.local_part, domain.name);
      if (hint.empty()) continue;
      doubts.add(alias.at, alias.local_part,
                 fmt::format("alias {} never matches: a key is what stands before the @ of an "
                             "address",
                             named(alias, domain)),
                 std::move(hint));
    }
  }
}

/// Aliases from different sources; twice in one source is an error of the loader.
void aliases_that_stand_twice(const Subject& subject, Doubts& doubts) {
  for (const forward::HostedDomain& domain : subject.forwarding.domains) {
    if (has_one_source(domain)) continue;
    std::unordered_map<std::string_view, const forward::Alias*> first;
    first.reserve(domain.aliases.size());
    for (const forward::Alias& alias : domain.aliases) {
      const auto [known, fresh] = first.try_emplace(alias.local_part, &alias);
      if (fresh) continue;
      const auto at = doubts.position(known->second->at);
      doubts.add(alias.at, alias.local_part,
                 fmt::format("alias {} is not used: the one at {}:{}:{} goes before it",
                             named(alias, domain), at.file, at.line, at.column),
                 "keep one of them");
    }
  }
}

}  // namespace relay::review
