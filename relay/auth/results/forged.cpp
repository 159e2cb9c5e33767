#include "relay/auth/results/forged.hpp"

#include "relay/auth/results/parser.hpp"
#include "relay/base/text.hpp"
#include "relay/mail/address.hpp"
#include "relay/mail/header.hpp"

namespace relay::auth::results {

namespace {

constexpr std::string_view kName = "authentication-results";

/// Octets that a careless parser may ignore.
bool is_decoration(char c) {
  constexpr std::string_view kMarks = "\"\\()\x7F";
  return (static_cast<unsigned char>(c) <= ' ') || kMarks.find(c) != std::string_view::npos;
}

std::string bare(std::string_view text) {
  std::string kept;
  for (const char c : text) {
    if (!is_decoration(c)) kept += base::lower(c);
  }
  return kept;
}

/// The text outside of parentheses, whether these are balanced or not.
std::string outside_comments(std::string_view text) {
  std::string kept;
  std::size_t depth = 0;
  for (const char c : text) {
    if (c == '(') ++depth;
    if (depth == 0) kept += c;
    if (c == ')' && depth > 0) --depth;
  }
  return kept;
}

/// A name in the form used for comparison: A-labels, lower case, without dots at its end.
std::string folded_name(std::string_view text) {
  while (!text.empty() && (text.back() == '.' || base::is_wsp(text.back()))) text.remove_suffix(1);
  while (!text.empty() && base::is_wsp(text.front())) text.remove_prefix(1);
  const auto domain = mail::Domain::parse(text);
  return domain ? domain->folded() : base::lower(text);
}

bool holds(std::string_view text, std::string_view name) {
  return bare(text).find(name) != std::string::npos ||
         bare(outside_comments(text)).find(name) != std::string::npos;
}

/// `name` is folded.
bool is_forged(std::string_view line, const std::string& name) {
  if (!base::starts_with_ignoring_case(line, kName)) return false;
  std::string_view rest = line.substr(kName.size());
  // A field with a longer name is another field: "Authentication-Results-Original:".
  const bool longer_name = !rest.empty() && rest.front() > ' ' && rest.front() != ':';
  if (longer_name) return false;
  while (!rest.empty() && base::is_wsp(rest.front())) rest.remove_prefix(1);
  return rest.starts_with(':') ? claims_to_be(name, rest.substr(1)) : holds(rest, name);
}

}  // namespace

bool claims_to_be(std::string_view authserv_id, std::string_view value) {
  const std::string name = folded_name(authserv_id);
  const auto id = authserv_id_of(value);
  return id ? folded_name(*id) == name : holds(value, name);
}

std::string without_forged(std::string_view header_block, std::string_view authserv_id,
                           std::size_t* removed) {
  const std::string name = folded_name(authserv_id);
  std::string kept;
  kept.reserve(header_block.size());
  std::size_t count = 0;
  while (!header_block.empty() && !header_block.starts_with("\r\n")) {
    const std::string_view line = header_block.substr(0, mail::folded_line_length(header_block));
    header_block.remove_prefix(line.size());
    if (is_forged(line, name)) {
      ++count;
    } else {
      kept += line;
    }
  }
  kept += header_block;
  if (removed) *removed = count;
  return kept;
}

}  // namespace relay::auth::results
