// The one file that compiles toml++, which it does when this is defined first.
#define TOML_IMPLEMENTATION

#include "relay/settings/parse_toml.hpp"

#include <optional>

#include "relay/settings/problem_code.hpp"
#include "relay/settings/section.hpp"
#include "relay/settings/toml_scan.hpp"

namespace relay::settings {

namespace {

/// nullopt where the parser gives up.
std::optional<toml::parse_result> parsed(std::string_view text, const std::string& path) {
  try {
    return toml::parse(text, path);
  } catch (const ParserGaveUp&) {
    return std::nullopt;
  }
}

/// The offset of the octet that makes the parser give up: the last one of the shortest beginning of
/// the text at which it does so. A parser that goes forward gives up at every longer beginning,
/// too.
std::size_t gives_up_at(std::string_view text) {
  std::size_t good = 0;
  std::size_t bad = text.size();
  while (good + 1 < bad) {
    const std::size_t middle = good + (bad - good) / 2;
    std::size_t whole = middle;  // characters
    while (whole < text.size() && continues_character(text[whole])) ++whole;
    (parsed(text.substr(0, whole), {}) ? good : bad) = middle;
  }
  return good;
}

Problem problem_of(const toml::parse_error& error) {
  const std::string_view text = error.description();
  // toml++ garbles the key in this message; its position is right, and the line shown there has
  // the key.
  const bool again = text.find("redefin") != std::string_view::npos ||
                     text.find("already") != std::string_view::npos;
  return {.at = position_of(error.source()),
          .code = again ? ProblemCode::Duplicate : ProblemCode::Syntax,
          .text = again ? "this key or table is set a second time" : std::string(text)};
}

}  // namespace

std::expected<toml::table, Problem> parse_toml(std::string_view text, const std::string& path) {
  if (const auto unreadable = find_unreadable(text)) {
    return std::unexpected(Problem{.at = position_in(text, unreadable->offset, path),
                                   .code = ProblemCode::Syntax,
                                   .text = "not TOML: " + std::string(unreadable->reason)});
  }
  auto result = parsed(text, path);
  if (!result) {
    return std::unexpected(Problem{.at = position_in(text, gives_up_at(text), path),
                                   .code = ProblemCode::Syntax,
                                   .text = "not TOML: this has no meaning here"});
  }
  if (!*result) return std::unexpected(problem_of(result->error()));
  return std::move(*result).table();
}

}  // namespace relay::settings
