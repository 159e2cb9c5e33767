#include "relay/settings/section.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "relay/base/closest.hpp"
#include "relay/settings/findings.hpp"
#include "relay/settings/problem_code.hpp"
#include "relay/settings/units.hpp"

namespace relay::settings {

base::SourcePosition position_of(const toml::source_region& region) {
  return {region.path ? *region.path : std::string(), region.begin.line, region.begin.column};
}

std::string Section::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

const toml::node* Section::find(const char* key) {
  asked_.emplace_back(key);
  return table_.get(key);
}

bool Section::has(const char* key) { return table_.contains(key); }

base::SourcePosition Section::at(const char* key) {
  const toml::node* node = table_.get(key);
  return position_of(node ? node->source() : table_.source());
}

base::SourcePosition Section::at(const char* key, std::size_t index) {
  const toml::node* node = table_.get(key);
  const toml::array* array = node ? node->as_array() : nullptr;
  return array && index < array->size() ? position_of(array->get(index)->source()) : at(key);
}

void Section::problem(const char* key, ProblemCode code, const std::string& text,
                      std::string hint) {
  findings_.add(at(key), code, path_of(key) + ": " + text, std::move(hint));
}

void Section::bad_value(const char* key, const std::string& text, std::string hint) {
  problem(key, ProblemCode::Value, text, std::move(hint));
}

base::SourcePlace Section::place(const char* key) { return findings_.place(at(key)); }

void Section::wrong_type(const toml::node& node, std::string_view key, std::string_view expected) {
  std::ostringstream kind;
  kind << node.type();
  findings_.add(position_of(node.source()), ProblemCode::Type,
                fmt::format("{}: expected {}, not {}", path_of(key), expected, kind.str()));
}

void Section::finish() {
  for (const auto& [key, node] : table_) {
    const std::string name(key.str());
    if (std::ranges::find(asked_, name) != asked_.end()) continue;
    const std::string near = base::closest(name, asked_);
    findings_.add(position_of(key.source()), ProblemCode::UnknownKey,
                  fmt::format("unknown key `{}`", path_of(name)),
                  near.empty() ? "" : fmt::format("did you mean `{}`?", near), name.size());
  }
}

void Section::text(const char* key, std::string& into) {
  const toml::node* node = find(key);
  if (!node) return;
  if (const auto value = node->value_exact<std::string>()) {
    into = *value;
  } else {
    wrong_type(*node, key, "a string");
  }
}

void Section::boolean(const char* key, bool& into) {
  const toml::node* node = find(key);
  if (!node) return;
  if (const auto value = node->value_exact<bool>()) {
    into = *value;
  } else {
    wrong_type(*node, key, "true or false");
  }
}

std::optional<std::int64_t> Section::integer(const char* key, std::int64_t least,
                                             std::int64_t most) {
  const toml::node* node = find(key);
  if (!node) return std::nullopt;
  const auto value = node->value_exact<std::int64_t>();
  if (!value) {
    wrong_type(*node, key, "an integer");
    return std::nullopt;
  }
  if (*value < least || *value > most) {
    problem(key, ProblemCode::Value, fmt::format("must be between {} and {}", least, most));
    return std::nullopt;
  }
  return value;
}

void Section::duration(const char* key, std::chrono::seconds& into) {
  const toml::node* node = find(key);
  if (!node) return;
  const auto value = node->value_exact<std::string>();
  if (!value) return wrong_type(*node, key, "a duration in quotes such as \"5m\"");
  const auto parsed = parse_duration(*value);
  if (!parsed) return problem(key, ProblemCode::Value, parsed.error());
  if (*parsed <= std::chrono::seconds(0)) {
    return problem(key, ProblemCode::Value, "must be greater than zero");
  }
  into = *parsed;
}

void Section::size(const char* key, std::uint64_t& into) {
  const toml::node* node = find(key);
  if (!node) return;
  const auto value = node->value_exact<std::string>();
  if (!value) return wrong_type(*node, key, "a size in quotes such as \"50MiB\"");
  const auto parsed = parse_size(*value);
  if (!parsed) return problem(key, ProblemCode::Value, parsed.error());
  into = *parsed;
}

void Section::rate(const char* key, base::Rate& into) {
  const toml::node* node = find(key);
  if (!node) return;
  const auto value = node->value_exact<std::string>();
  if (!value) return wrong_type(*node, key, "a rate in quotes such as \"600/h\"");
  const auto parsed = parse_rate(*value);
  if (!parsed) return problem(key, ProblemCode::Value, parsed.error());
  into = *parsed;
}

void Section::last_day(const char* key, std::optional<std::int64_t>& into) {
  const toml::node* node = find(key);
  if (!node) return;
  const auto date = node->value_exact<toml::date>();
  if (!date) return problem(key, ProblemCode::Type, "expected a date such as 2026-12-31");
  const std::chrono::year_month_day day{
      std::chrono::year(date->year), std::chrono::month(date->month), std::chrono::day(date->day)};
  into = std::chrono::sys_seconds(std::chrono::sys_days(day)).time_since_epoch().count() + 86'399;
}

void Section::domain(const char* key, std::optional<mail::Domain>& into) {
  std::string name;
  text(key, name);
  if (name.empty()) return;
  auto parsed = mail::Domain::parse(name);
  if (!parsed || parsed->is_literal()) {
    return problem(key, ProblemCode::Value, "not a domain name: \"" + name + '"');
  }
  into = std::move(*parsed);
}

void Section::mailbox(const char* key, std::optional<mail::Mailbox>& into) {
  std::string address;
  text(key, address);
  if (address.empty()) return;
  auto parsed = mail::Mailbox::parse(address);
  if (!parsed) {
    return problem(key, ProblemCode::Value,
                   fmt::format("\"{}\": {}", address, mail::describe(parsed.error())));
  }
  into = std::move(*parsed);
}

void Section::texts(const char* key, std::vector<std::string>& into) {
  const toml::node* node = find(key);
  if (!node) return;
  if (const auto single = node->value_exact<std::string>()) {
    into = {*single};
    return;
  }
  const toml::array* array = node->as_array();
  if (!array) return wrong_type(*node, key, "a string or an array of strings");
  std::vector<std::string> values;
  for (const toml::node& element : *array) {
    if (const auto value = element.value_exact<std::string>()) {
      values.push_back(*value);
    } else {
      wrong_type(element, key, "strings only");
    }
  }
  into = std::move(values);
}

std::optional<std::size_t> Section::chosen(const char* key, const std::vector<std::string>& names) {
  std::string word;
  text(key, word);
  const toml::node* node = table_.get(key);
  if (!node || !node->is_string()) return std::nullopt;  // absent, or reported
  const auto at = std::ranges::find(names, word);
  if (at != names.end()) return static_cast<std::size_t>(at - names.begin());
  const std::string near = base::closest(word, names);
  findings_.add(this->at(key), ProblemCode::Value,
                fmt::format("{}: takes {}, not \"{}\"", path_of(key), fmt::join(names, ", "), word),
                near.empty() ? "" : fmt::format("did you mean \"{}\"?", near), word.size() + 2);
  return std::nullopt;
}

std::optional<Section> Section::table(const char* key) {
  const toml::node* node = find(key);
  if (!node) return std::nullopt;
  if (const toml::table* inner = node->as_table()) return Section(*inner, path_of(key), findings_);
  wrong_type(*node, key, "a table");
  return std::nullopt;
}

std::vector<Section> Section::tables(const char* key) {
  std::vector<Section> sections;
  const toml::node* node = find(key);
  if (!node) return sections;
  const toml::array* array = node->as_array();
  if (!array) {
    wrong_type(*node, key, fmt::format("an array of tables, written [[{}]]", path_of(key)));
    return sections;
  }
  for (const toml::node& element : *array) {
    if (const toml::table* inner = element.as_table()) {
      sections.emplace_back(*inner, path_of(key), findings_);
    } else {
      wrong_type(element, key, "a table");
    }
  }
  return sections;
}

}  // namespace relay::settings
