// [[provider]]: those of config/providers.toml, which is built into the program, and the
// operator's.
#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "relay/base/text.hpp"
#include "relay/forward/providers.hpp"
#include "relay/settings/built_in_providers.hpp"
#include "relay/settings/findings.hpp"
#include "relay/settings/problem_code.hpp"
#include "relay/settings/read_sections.hpp"

namespace relay::settings {

using forward::Provider;

namespace {

/// The name of the built-in file in problems.
constexpr std::string_view kBuiltInFile = "config/providers.toml (built in)";

struct Given {
  Provider provider;
  base::SourcePosition suffixes_at;
};

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 40 && std::ranges::all_of(text, [](char c) {
    return base::is_alpha(c) || base::is_digit(c) || c == '-' || c == '_';
  });
}

std::string read_name(Section& section) {
  std::string name;
  section.text("name", name);
  if (!section.has("name")) {
    section.problem("name", ProblemCode::Missing, "every [[provider]] needs a name");
  } else if (section.raw().get("name")->is_string() && !is_name(name)) {
    section.problem("name", ProblemCode::Value,
                    fmt::format("letters, digits and \"-\" only, at most 40, not \"{}\"", name));
  }
  return base::lower(name);
}

/// Requires two labels: one label, as "com", would match far too many hosts.
std::optional<std::string> suffix_of(std::string_view text) {
  const auto domain = mail::Domain::parse(text);
  if (!domain || !domain->is_dotted()) return std::nullopt;
  return domain->folded();
}

std::vector<std::string> read_suffixes(Section& section) {
  std::vector<std::string> given;
  section.texts("mx", given);
  const toml::node* node = section.raw().get("mx");
  if (node == nullptr) {
    section.problem("mx", ProblemCode::Missing,
                    "says which MX hosts are meant, as [\"mx.provider.example\"]");
  } else if (node->is_array() && node->as_array()->empty()) {
    section.problem("mx", ProblemCode::Value, "needs at least one end of a host name");
  }
  std::vector<std::string> suffixes;
  for (const std::string& text : given) {
    if (auto suffix = suffix_of(text)) {
      suffixes.push_back(std::move(*suffix));
    } else {
      section.problem("mx", ProblemCode::Value,
                      fmt::format("the end of a host name, of two labels at least and without "
                                  "\"*.\", not \"{}\"",
                                  text));
    }
  }
  return suffixes;
}

/// Reads the [[provider]] tables of one configuration. A name that is used twice is an error.
std::vector<Given> read_given(Section& root) {
  std::vector<Given> given;
  std::set<std::string> names;
  for (Section& section : root.tables("provider")) {
    Given one{.provider = {.name = read_name(section), .suffixes = read_suffixes(section)},
              .suffixes_at = section.at("mx")};
    section.finish();
    const bool is_new = one.provider.name.empty() || names.insert(one.provider.name).second;
    if (!is_new)
      section.problem("name", ProblemCode::Duplicate, one.provider.name + " stands above");
    given.push_back(std::move(one));
  }
  return given;
}

std::vector<Given> built_in(Findings& findings) {
  const toml::parse_result result = toml::parse(kBuiltInProviders, kBuiltInFile);
  findings.remember(std::string(kBuiltInFile), std::string(kBuiltInProviders));
  if (!result) {
    findings.add(position_of(result.error().source()), ProblemCode::Syntax,
                 std::string(result.error().description()));
    return {};
  }
  Section root(result.table(), "", findings);
  auto given = read_given(root);
  root.finish();
  return given;
}

/// Reports a suffix that is given twice: a host belongs to one provider.
void check_suffixes(const std::vector<Given>& all, Findings& findings) {
  std::map<std::string, std::string> owners;
  for (const Given& given : all) {
    for (const std::string& suffix : given.provider.suffixes) {
      const auto [owner, is_new] = owners.emplace(suffix, given.provider.name);
      if (is_new) continue;
      findings.add(given.suffixes_at, ProblemCode::Duplicate,
                   owner->second == given.provider.name
                       ? fmt::format("provider.mx: \"{}\" stands there twice", suffix)
                       : fmt::format("provider.mx: \"{}\" belongs to {}; give that name to take "
                                     "its place",
                                     suffix, owner->second));
    }
  }
}

}  // namespace

void read_providers(Section& root, std::vector<Provider>& providers) {
  std::vector<Given> all = built_in(root.findings());
  std::vector<Given> own = read_given(root);
  std::set<std::string> replaced;
  for (const Given& given : own) replaced.insert(given.provider.name);
  std::erase_if(all, [&](const Given& given) { return replaced.contains(given.provider.name); });
  std::ranges::move(own, std::back_inserter(all));
  check_suffixes(all, root.findings());
  for (Given& given : all) providers.push_back(std::move(given.provider));
}

}  // namespace relay::settings
