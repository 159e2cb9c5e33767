// [[domain]]: the aliases of our domains, from the file itself and from alias text files.
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <re2/re2.h>

#include "relay/base/text.hpp"
#include "relay/settings/alias_text.hpp"
#include "relay/settings/files.hpp"
#include "relay/settings/read_sections.hpp"

namespace relay::settings {

namespace {

/// "550 5.1.6 moved to …": reply code, enhanced status, text.
std::optional<Rejected> parse_rejection(std::string_view text) {
  if (text.size() < 5 || (text[0] != '4' && text[0] != '5') || !base::is_digit(text[1]) ||
      !base::is_digit(text[2]) || text[3] != ' ') {
    return std::nullopt;
  }
  Rejected rejected;
  rejected.code = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
  std::string_view rest;
  const auto status = mail::EnhancedStatus::parse(text.substr(4), &rest);
  if (!status || status->klass != text[0] - '0' || rest.empty() || rest.size() > 400) {
    return std::nullopt;
  }
  for (const char c : rest) {
    if (c < ' ' || c > '~') return std::nullopt;
  }
  rejected.status = *status;
  rejected.text = std::string(rest);
  return rejected;
}

void add_targets(Section& section, const char* key, const std::vector<std::string>& texts,
                 Alias& alias) {
  for (const std::string& text : texts) {
    auto target = mail::Mailbox::parse(text);
    if (target) {
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
  section.boolean("keep_tag", keep);
  if (section.has("keep_tag")) alias.keep_tag = keep;
  alias.dmarc = read_dmarc(section);
  section.finish();
  add_targets(section, "to", targets, alias);
  if (section.has("reject")) {
    alias.reject = parse_rejection(reject);
    if (!alias.reject) {
      section.problem("reject", ProblemCode::Value,
                      "expected a reply such as \"550 5.1.6 moved to new@example.org\"");
    }
  }
  if (section.has("reject") == section.has("to")) {
    section.problem("to", ProblemCode::Value, "an alias has either `to` or `reject`");
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
    alias.local_part = base::lower(name);
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
                      "expected \"file:path\", not \"" + source + '"');
      continue;
    }
    const std::string path = relative_to(source.substr(5), section.at("aliases").file);
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

}  // namespace

void read_domains(Section& root, Settings& settings) {
  std::set<std::string> seen;
  auto sections = root.tables("domain");
  for (Section& section : sections) {
    std::optional<mail::Domain> name;
    section.domain("name", name);
    if (!name) {
      if (!section.has("name")) {
        section.problem("name", ProblemCode::Missing, "every [[domain]] needs a name");
      }
      name = *mail::Domain::parse("invalid");
    } else if (!seen.insert(name->folded()).second) {
      section.problem("name", ProblemCode::Duplicate, name->text() + " is configured twice");
    }
    HostedDomain domain{
        .name = *name, .aliases = {}, .patterns = {}, .map_to = {}, .dmarc = read_dmarc(section)};
    if (auto aliases = section.table("alias")) read_alias_entries(*aliases, domain);
    read_alias_files(section, domain);
    read_patterns(section, domain);
    section.domain("map_to", domain.map_to);
    section.finish();
    settings.domains.push_back(std::move(domain));
  }
  if (sections.empty()) {
    root.problem("domain", ProblemCode::Missing, "nothing to forward: add a [[domain]]");
  }
}

}  // namespace relay::settings
