// Reads one TOML table: typed access that reports every mistake with its position, and at the end
// every key that nobody asked for.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "relay/base/rate_table.hpp"
#include "relay/base/source_place.hpp"
#include "relay/mail/address.hpp"
#include "relay/settings/toml.hpp"

namespace relay::settings {

class Findings;
enum class ProblemCode : std::uint16_t;  // problem_code.hpp

base::SourcePosition position_of(const toml::source_region& region);

class Section {
 public:
  /// `path`: the dotted name of the table, for messages; "" for the root.
  Section(const toml::table& table, std::string path, Findings& findings)
      : table_(table), path_(std::move(path)), findings_(findings) {}

  /// Reports keys that were never asked for.
  void finish();

  bool has(const char* key);

  void allow(const char* key) { asked_.emplace_back(key); }  ///< marks a key read through raw()

  base::SourcePosition at(const char* key);  ///< of the value; of the table when absent
  /// Of one of several values; like at(key) when there is only one value.
  base::SourcePosition at(const char* key, std::size_t index);

  base::SourcePlace place(const char* key);

  void problem(const char* key, ProblemCode code, const std::string& text, std::string hint = {});
  /// A problem with the value (ProblemCode::Value).
  void bad_value(const char* key, const std::string& text, std::string hint = {});

  // Each of these leaves `into` unchanged when the key is absent, or wrong, which is reported.
  void text(const char* key, std::string& into);
  void boolean(const char* key, bool& into);
  void duration(const char* key, std::chrono::seconds& into);
  void size(const char* key, std::uint64_t& into);
  void rate(const char* key, base::Rate& into);
  /// Reads a day; `into` becomes its last second in UTC, as Unix time.
  void last_day(const char* key, std::optional<std::int64_t>& into);
  void domain(const char* key, std::optional<mail::Domain>& into);
  void mailbox(const char* key, std::optional<mail::Mailbox>& into);
  void texts(const char* key, std::vector<std::string>& into);  ///< a string or an array of strings

  template <class Number>
  void number(const char* key, Number& into, std::int64_t least, std::int64_t most) {
    if (const auto value = integer(key, least, most)) into = static_cast<Number>(*value);
  }

  /// Reads one word of a list.
  template <class Enum>
  void choice(const char* key, Enum& into, const std::vector<std::pair<std::string, Enum>>& words) {
    std::vector<std::string> names;
    for (const auto& [name, value] : words) names.push_back(name);
    const auto index = chosen(key, names);
    if (index) into = words[*index].second;
  }

  /// A sub-table; nullopt when absent, or when it is no table, which is reported.
  std::optional<Section> table(const char* key);
  /// An array of tables: `[[key]]`.
  std::vector<Section> tables(const char* key);

  const toml::table& raw() const { return table_; }

  Findings& findings() { return findings_; }

  std::string path_of(std::string_view key) const;

 private:
  const toml::node* find(const char* key);
  std::optional<std::int64_t> integer(const char* key, std::int64_t least, std::int64_t most);
  std::optional<std::size_t> chosen(const char* key, const std::vector<std::string>& names);
  void wrong_type(const toml::node& node, std::string_view key, std::string_view expected);

  const toml::table& table_;
  std::string path_;
  Findings& findings_;
  std::vector<std::string> asked_;
};

}  // namespace relay::settings
