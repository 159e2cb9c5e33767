#include "relay/settings/alias_text.hpp"

#include <algorithm>
#include <sstream>
#include <unordered_set>

#include <fmt/format.h>

#include "relay/base/text.hpp"

namespace relay::settings {

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

/// Reads the targets behind the colon; reports at the column they stand in.
void read_targets(std::string_view list, Position at, std::size_t offset, Alias& alias,
                  Findings& findings) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view target = trimmed(list.substr(0, comma));
    at.column = static_cast<std::uint32_t>(offset + 1);
    if (target.starts_with('|') || target.starts_with('/') || target.starts_with("\"|") ||
        target.starts_with(":include:")) {
      findings.add(at, ProblemCode::Value, fmt::format("\"{}\" is not an address", target),
                   "pipes, files and :include: are not supported; give an address");
    } else if (auto mailbox = mail::Mailbox::parse(target)) {
      alias.targets.push_back(std::move(*mailbox));
    } else {
      findings.add(at, ProblemCode::Value,
                   fmt::format("\"{}\": {}", target, mail::describe(mailbox.error())));
    }
    offset += comma + 1;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
}

}  // namespace

void read_alias_text(const std::string& path, const std::string& content, HostedDomain& domain,
                     Findings& findings) {
  std::unordered_set<std::string> seen;
  const auto lines = static_cast<std::size_t>(std::ranges::count(content, '\n')) + 1;
  domain.aliases.reserve(domain.aliases.size() + lines);
  seen.reserve(lines);
  std::istringstream stream(content);
  Position at{path, 0, 1};
  for (std::string line; std::getline(stream, line);) {
    ++at.line;
    at.column = 1;
    const std::string_view text = trimmed(std::string_view(line).substr(0, line.find('#')));
    if (text.empty()) continue;
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
      findings.add(at, ProblemCode::Syntax, "expected `local: target, target`");
      continue;
    }
    Alias alias;
    alias.local_part = base::lower(trimmed(text.substr(0, colon)));
    if (alias.local_part != "*" && !mail::Mailbox::make(alias.local_part, domain.name)) {
      findings.add(at, ProblemCode::Value, "not a local part: \"" + alias.local_part + '"');
    }
    if (!seen.insert(alias.local_part).second) {
      findings.add(at, ProblemCode::Duplicate, "alias \"" + alias.local_part + "\" stands above");
    }
    const std::size_t start = static_cast<std::size_t>(text.data() - line.data()) + colon + 1;
    read_targets(text.substr(colon + 1), at, start, alias, findings);
    if (alias.targets.empty()) findings.add(at, ProblemCode::Value, "has no target");
    domain.aliases.push_back(std::move(alias));
  }
}

}  // namespace relay::settings
