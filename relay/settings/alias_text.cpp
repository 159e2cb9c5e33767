#include "relay/settings/alias_text.hpp"

#include <algorithm>
#include <array>
#include <sstream>
#include <unordered_set>

#include <fmt/format.h>

#include "relay/base/text.hpp"
#include "relay/forward/aliases.hpp"
#include "relay/mail/folding.hpp"
#include "relay/settings/files.hpp"
#include "relay/settings/findings.hpp"
#include "relay/settings/problem_code.hpp"
#include "relay/settings/read_sections.hpp"
#include "relay/settings/rejection_text.hpp"

namespace relay::settings {

using forward::Alias;
using forward::HostedDomain;

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

/// The text up to the first blank, in lower case.
std::string first_word(std::string_view text) {
  return base::lower(text.substr(0, text.find_first_of(" \t")));
}

/// Reads the targets after the colon; reports each problem at the column of its target.
void read_targets(std::string_view list, base::SourcePosition at, std::size_t offset, Alias& alias,
                  Findings& findings) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view target = trimmed(list.substr(0, comma));
    at.column = static_cast<std::uint32_t>(offset + 1);
    if (first_word(target) == "discard" || first_word(target) == "reject") {
      findings.add(at, ProblemCode::Value,
                   fmt::format("`{}` stands alone: an alias has either that or targets", target));
    } else if (target.starts_with('|') || target.starts_with('/') || target.starts_with("\"|") ||
               target.starts_with(":include:")) {
      findings.add(at, ProblemCode::Value, fmt::format("\"{}\" is not an address", target),
                   "pipes, files and :include: are not supported; give an address");
    } else if (auto mailbox = mail::Mailbox::parse(target)) {
      const std::string doubt = doubt_about_target(*mailbox);
      if (!doubt.empty()) findings.warn(at, doubt);
      alias.targets.push_back(std::move(*mailbox));
    } else {
      findings.add(at, ProblemCode::Value,
                   fmt::format("\"{}\": {}", target, mail::describe(mailbox.error())));
    }
    offset += comma + 1;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
}

/// Reads what follows the colon.
void read_value(std::string_view value, const base::SourcePosition& at, std::size_t offset,
                Alias& alias, Findings& findings) {
  const std::string_view text = trimmed(value);
  const std::string word = first_word(text);
  if (word == "discard" && text.size() == word.size()) {
    alias.discard = true;
    return;
  }
  if (word != "reject") {
    read_targets(value, at, offset, alias, findings);
    if (alias.targets.empty()) findings.add(at, ProblemCode::Value, "has no target");
    return;
  }
  alias.reject = parse_rejection(trimmed(text.substr(word.size())));
  if (alias.reject) return;
  base::SourcePosition reply = at;
  reply.column = static_cast<std::uint32_t>(offset + 1);
  findings.add(reply, ProblemCode::Value,
               fmt::format("expected a reply such as `reject {}`", kRejectionExample));
}

/// What to write instead of a line of a Postfix map, "key target, target"; "" when it is no such
/// line.
std::string instead_of_map_line(std::string_view text, const HostedDomain& domain) {
  const std::size_t blank = text.find_first_of(" \t");
  if (blank == std::string_view::npos) return {};
  const std::string_view key = text.substr(0, blank);
  const std::string_view targets = trimmed(text.substr(blank));
  const std::size_t at = key.find('@');
  if (targets.find('@') == std::string_view::npos) {
    const bool declares = at == std::string_view::npos && key.find('.') != std::string_view::npos;
    return declares ? "this looks like a Postfix map; leave the line out, [[domain]] says it" : "";
  }
  const std::string_view local = at == 0 ? "*" : key.substr(0, at);
  std::string hint =
      fmt::format("this looks like a Postfix map; write `{}: {}` instead", local, targets);
  if (at == std::string_view::npos) return hint;
  const auto name = mail::Domain::parse(key.substr(at + 1));
  if (name && *name != domain.name) {
    hint += fmt::format(", in the aliases of {}", name->folded());
  }
  return hint;
}

}  // namespace

std::string instead_of_map(std::string_view source) {
  const std::string_view kind = source.substr(0, source.find(':'));
  constexpr std::array<std::string_view, 9> kKinds{"hash", "btree",  "lmdb", "cdb",   "texthash",
                                                   "dbm",  "regexp", "pcre", "static"};
  if (kind.size() == source.size()) return {};
  if (std::ranges::find(kKinds, kind) == kKinds.end()) return {};
  if (kind == "regexp" || kind == "pcre") return "a Postfix map; write [[domain.pattern]] instead";
  return "a Postfix map; name a text file, \"file:…\", with a line `local: target, target` for "
         "each";
}

void read_alias_text(const std::string& path, const std::string& content, HostedDomain& domain,
                     Findings& findings) {
  findings.warn_of_mark(path, content);
  if (content.find('\0') != std::string::npos) {
    findings.add({path, 0, 0}, ProblemCode::Syntax, "not a text file",
                 "of a compiled map, name the text that it was made from");
    return;
  }
  std::unordered_set<std::string> seen;
  const auto lines = static_cast<std::size_t>(std::ranges::count(content, '\n')) + 1;
  domain.aliases.reserve(domain.aliases.size() + lines);
  seen.reserve(lines);
  std::istringstream stream{std::string(without_mark(content))};
  base::SourcePosition at{path, 0, 1};
  base::SourcePlace place = findings.place({path, 1, 1});
  for (std::string line; std::getline(stream, line);) {
    ++at.line;
    at.column = 1;
    const std::string_view text = trimmed(without_comment(line));
    if (text.empty()) continue;
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
      findings.add(at, ProblemCode::Syntax, "expected `local: target, target`",
                   instead_of_map_line(text, domain));
      continue;
    }
    Alias alias;
    place.line = at.line;
    alias.at = place;
    alias.local_part = mail::folded_local_part(trimmed(text.substr(0, colon)));
    if (alias.local_part != "*" && !mail::Mailbox::make(alias.local_part, domain.name)) {
      findings.add(at, ProblemCode::Value, "not a local part: \"" + alias.local_part + '"');
    }
    if (!seen.insert(alias.local_part).second) {
      findings.add(at, ProblemCode::Duplicate, "alias \"" + alias.local_part + "\" stands above");
    }
    const std::size_t start = static_cast<std::size_t>(text.data() - line.data()) + colon + 1;
    read_value(text.substr(colon + 1), at, start, alias, findings);
    domain.aliases.push_back(std::move(alias));
  }
}

}  // namespace relay::settings
