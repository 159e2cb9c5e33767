// [[domain]]: the aliases of our domains, from the configuration and from alias text files.
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <re2/re2.h>

#include "relay/base/text.hpp"
#include "relay/forward/aliases.hpp"
#include "relay/mail/folding.hpp"
#include "relay/settings/alias_text.hpp"
#include "relay/settings/files.hpp"
#include "relay/settings/findings.hpp"
#include "relay/settings/problem_code.hpp"
#include "relay/settings/read_sections.hpp"
#include "relay/settings/rejection_text.hpp"

namespace relay::settings {

using forward::Alias;
using forward::HostedDomain;
using forward::Pattern;

namespace {

void add_targets(Section& section, const char* key, const std::vector<std::string>& texts,
                 Alias& alias) {
  for (const std::string& text : texts) {
    auto target = mail::Mailbox::parse(text);
    if (target) {
      warn_of_target(section, key, *target);
      alias.targets.push_back(std::move(*target));
    } else {
      section.problem(key, ProblemCode::Value,
                      fmt::format("\"{}\": {}", text, mail::describe(target.error())));
    }
  }
}

Alias read_alias_table(Section& section) {
  Alias alias;
  std::vector<std::string> targets;
  std::string reject;
  bool keep = true;
  section.texts("to", targets);
  section.text("reject", reject);
  section.boolean("discard", alias.discard);
  section.boolean("keep_tag", keep);
  if (section.has("keep_tag")) alias.keep_tag = keep;
  section.last_day("expires", alias.expires);
  section.size("max_size", alias.max_size);
  section.mailbox("fallback", alias.fallback);
  if (alias.fallback) warn_of_target(section, "fallback", *alias.fallback);
  alias.dmarc = read_dmarc(section);
  section.finish();
  add_targets(section, "to", targets, alias);
  if (section.has("reject")) {
    alias.reject = parse_rejection(reject);
    if (!alias.reject) {
      section.problem("reject", ProblemCode::Value,
                      fmt::format("expected a reply such as \"{}\"", kRejectionExample));
    }
  }
  if (section.has("reject") + section.has("to") + alias.discard != 1) {
    section.problem("to", ProblemCode::Value,
                    "an alias has one of `to`, `reject` and `discard = true`");
  }
  for (const char* key : {"expires", "max_size", "fallback"}) {
    const bool is_of_use =
        section.has("to") || (alias.discard && std::string_view(key) == "expires");
    if (!section.has(key) || is_of_use) continue;
    section.problem(key, ProblemCode::Value, "an alias without `to` has no use for it");
  }
  return alias;
}

void read_alias_entries(Section& section, HostedDomain& domain) {
  std::set<std::string> seen;
  for (const auto& [key, node] : section.raw()) {
    const std::string name(key.str());
    section.allow(name.c_str());
    Alias alias;
    if (node.is_table()) {
      if (auto table = section.table(name.c_str())) alias = read_alias_table(*table);
    } else {
      std::vector<std::string> targets;
      section.texts(name.c_str(), targets);
      add_targets(section, name.c_str(), targets, alias);
      if (targets.empty() && (node.is_array() || node.is_string())) {
        section.problem(name.c_str(), ProblemCode::Value, "has no target");
      }
    }
    alias.at = section.findings().place(position_of(key.source()));
    alias.local_part = mail::folded_local_part(name);
    if (alias.local_part != "*" &&
        !mail::Mailbox::make(alias.local_part, domain.name).has_value()) {
      section.problem(name.c_str(), ProblemCode::Value, "not a local part");
    }
    if (!seen.insert(alias.local_part).second) {
      section.problem(name.c_str(), ProblemCode::Duplicate,
                      "the same alias in another case stands above");
    }
    domain.aliases.push_back(std::move(alias));
  }
}

void read_alias_files(Section& section, HostedDomain& domain) {
  std::vector<std::string> sources;
  section.texts("aliases", sources);
  for (const std::string& source : sources) {
    if (!source.starts_with("file:")) {
      section.problem("aliases", ProblemCode::Value,
                      "expected \"file:path\", not \"" + source + '"', instead_of_map(source));
      continue;
    }
    const std::string path = relative_to(source.substr(5), section.at("aliases").file);
    section.findings().name_file(path, section.at("aliases"));
    auto content = read_file(path);
    if (!content) {
      section.problem("aliases", content.error().code, content.error().text);
      continue;
    }
    section.findings().remember(path, *content);
    read_alias_text(path, *content, domain, section.findings());
  }
}

void read_patterns(Section& section, HostedDomain& domain) {
  for (Section& entry : section.tables("pattern")) {
    Pattern pattern;
    entry.text("match", pattern.match);
    entry.texts("to", pattern.targets);
    pattern.at = entry.place("to");
    entry.finish();
    RE2::Options quiet;
    quiet.set_log_errors(false);
    const RE2 expression(pattern.match, quiet);
    if (pattern.match.empty() || !expression.ok()) {
      entry.problem("match", ProblemCode::Value, "not a regular expression: " + expression.error());
      continue;
    }
    if (pattern.targets.empty()) entry.problem("to", ProblemCode::Missing, "has no target");
    domain.patterns.push_back(std::move(pattern));
  }
}

/// Reads "example.org", or "*.example.org" for every domain below it.
std::optional<mail::Domain> read_name(Section& section, bool& is_wildcard) {
  const toml::value<std::string>* value = section.raw().get_as<std::string>("name");
  const std::string text = value != nullptr ? value->get() : std::string();
  is_wildcard = text.starts_with("*.");
  std::optional<mail::Domain> name;
  if (!is_wildcard && !text.starts_with('*')) {
    section.domain("name", name);
    if (!section.has("name")) {
      section.problem("name", ProblemCode::Missing, "every [[domain]] needs a name");
    }
    return name;
  }
  section.allow("name");
  const auto parent = mail::Domain::parse(std::string_view(text).substr(is_wildcard ? 2 : 1));
  if (is_wildcard && parent && parent->is_dotted()) return *parent;
  section.problem("name", ProblemCode::Value,
                  fmt::format("\"{}\": a domain, or \"*.example.org\" for all below that one; what "
                              "lies below a whole top-level domain belongs to others",
                              text));
  return name;
}

}  // namespace

std::string doubt_about_target(const mail::Mailbox& target) {
  // Most of up to a million targets are too short for doubt, even if every character needed a
  // backslash.
  if (2 * target.local_part().size() + 2 <= mail::kMaxLocalPartOctets) return {};
  const std::size_t octets = target.quoted_local_part().size();
  if (octets <= mail::kMaxLocalPartOctets) return {};
  return fmt::format("\"{}\": {} octets before the @, and a host need take {} (RFC 5321 §4.5.3.1)",
                     target.to_string(), octets, mail::kMaxLocalPartOctets);
}

void warn_of_target(Section& section, const char* key, const mail::Mailbox& target) {
  const std::string doubt = doubt_about_target(target);
  if (doubt.empty()) return;
  section.findings().warn(section.at(key), section.path_of(key) + ": " + doubt);
}

void read_domains(Section& root, std::vector<HostedDomain>& domains) {
  std::set<std::string> seen;
  auto sections = root.tables("domain");
  for (Section& section : sections) {
    bool is_wildcard = false;
    const auto name = read_name(section, is_wildcard);
    HostedDomain domain{.name = name.value_or(*mail::Domain::parse("invalid")),
                        .aliases = {},
                        .patterns = {},
                        .map_to = {},
                        .dmarc = read_dmarc(section),
                        .is_wildcard = is_wildcard};
    if (name && !seen.insert(domain.text()).second) {
      section.problem("name", ProblemCode::Duplicate, domain.text() + " is configured twice");
    }
    if (auto aliases = section.table("alias")) read_alias_entries(*aliases, domain);
    read_alias_files(section, domain);
    read_patterns(section, domain);
    section.domain("map_to", domain.map_to);
    domain.map_to_at = section.place("map_to");
    section.finish();
    domains.push_back(std::move(domain));
  }
  if (sections.empty()) {
    root.problem("domain", ProblemCode::Missing, "nothing to forward: add a [[domain]]");
  }
}

}  // namespace relay::settings
