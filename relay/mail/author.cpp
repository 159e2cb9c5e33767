#include "relay/mail/author.hpp"

#include <algorithm>
#include <array>

#include "relay/base/text.hpp"
#include "relay/mail/author_reader.hpp"

namespace relay::mail {

namespace {

bool is_without_controls(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c == '\t' || !base::is_control(c); });
}

/// True for a CR or LF alone, or a NUL: mail programs differ about where such lines end.
bool has_odd_line_ends(std::string_view block) {
  for (std::size_t i = 0; i < block.size(); ++i) {
    if (block[i] == '\0' || block[i] == '\n') return true;
    if (block[i] != '\r') continue;
    if (block.substr(i, 2) != "\r\n") return true;
    ++i;
  }
  return false;
}

/// U+FF20 or U+FE6B, which some mail programs take for "@".
bool has_wide_at(std::string_view text) {
  return text.find("\xEF\xBC\xA0") != std::string_view::npos ||
         text.find("\xEF\xB9\xAB") != std::string_view::npos;
}

bool is_named_from(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  std::string letters;
  for (const char c : line.substr(0, colon)) {
    if (base::is_alpha(c)) letters += base::lower(c);
    if (letters.size() > 4) return false;
  }
  return letters == "from";
}

/// True for a line that is no field for us, but in which another mail program may see a From field:
/// " From: a@b", "From\r\n : a@b", "Fr om: a@b" (Chen et al., "Composition Kills", §5.1).
bool resembles_from(std::string_view folded_line) {
  if (is_named_from(folded_line)) return true;
  while (!folded_line.empty()) {
    const std::size_t end = std::min(folded_line.find("\r\n"), folded_line.size() - 1);
    if (is_named_from(folded_line.substr(0, end + 1))) return true;
    folded_line.remove_prefix(end + 1);
  }
  return false;
}

}  // namespace

std::string_view describe(AuthorProblem problem) {
  switch (problem) {
    case AuthorProblem::NoField:
      return "no From field";
    case AuthorProblem::Nobody:
      return "nobody named in From";
    case AuthorProblem::SeveralFields:
      return "more than one From field";
    case AuthorProblem::UnreadableHeader:
      return "unreadable header";
    case AuthorProblem::UnreadableField:
      return "malformed From field";
    case AuthorProblem::NoDomain:
      return "no domain in From";
    case AuthorProblem::TooManyDomains:
      return "too many domains in From";
  }
  return "malformed From field";
}

std::expected<std::vector<Domain>, AuthorProblem> author_domains(const Header& header) {
  if (has_odd_line_ends(header.block())) return std::unexpected(AuthorProblem::UnreadableHeader);
  const auto authors = header.find("From");
  if (authors.size() > 1 || resembles_from(header.preamble()) ||
      std::ranges::any_of(header.unreadable(), resembles_from)) {
    return std::unexpected(AuthorProblem::SeveralFields);
  }
  // Some mail programs show one of these fields when From is missing or names nobody.
  const bool others =
      std::ranges::any_of(std::array{"Sender", "Resent-From", "Resent-Sender", "Reply-To"},
                          [&](const char* name) { return !header.find(name).empty(); });
  if (authors.empty()) {
    return std::unexpected(others ? AuthorProblem::NoField : AuthorProblem::Nobody);
  }
  const auto nobody = others ? AuthorProblem::NoDomain : AuthorProblem::Nobody;
  const std::string value = unfolded(authors.front().value);
  if (!is_without_controls(value)) return std::unexpected(AuthorProblem::UnreadableField);

  AuthorReader reader(value);
  auto written = reader.read();
  if (reader.is_empty_group()) return std::unexpected(nobody);
  // In a valid address list an encoded word can only be a name; in other text some mail programs
  // decode it to an address.
  if (written.empty() && (value.find("=?") != std::string::npos || has_wide_at(value))) {
    return std::unexpected(AuthorProblem::UnreadableField);
  }
  if (written.empty()) {
    written = AuthorReader::names_behind_at_signs(value);
    // Mail programs differ about whether they show an address in a comment or in quotes; a field
    // that has its only addresses there may hide its author.
    const std::string shown = AuthorReader::visible(value);
    if (!written.empty() && AuthorReader::names_behind_at_signs(shown).empty()) {
      return std::unexpected(AuthorProblem::UnreadableField);
    }
  }
  if (written.empty()) return std::unexpected(nobody);
  // A name without a dot counts only when nothing else was found: "Deals@Acme <deals@acme.example>"
  // has one address.
  const auto is_name_alone = [](const std::string& text) {
    return text.find_first_of(".[:") == std::string::npos;
  };
  if (!std::ranges::all_of(written, is_name_alone)) std::erase_if(written, is_name_alone);
  std::vector<Domain> domains;
  for (const std::string& text : written) {
    const auto domain = Domain::parse(text);
    if (!domain) return std::unexpected(AuthorProblem::UnreadableField);
    if (domain->is_literal()) return std::unexpected(nobody);
    if (std::ranges::find(domains, *domain) != domains.end()) continue;
    if (domains.size() == kMaxAuthorDomains) return std::unexpected(AuthorProblem::TooManyDomains);
    domains.push_back(*domain);
  }
  return domains;
}

std::optional<Domain> author_domain(const Header& header) {
  if (!header.preamble().empty() || !header.unreadable().empty()) return std::nullopt;
  const auto authors = header.find("From");
  if (authors.size() != 1) return std::nullopt;
  const std::string value = unfolded(authors.front().value);
  if (!is_without_controls(value)) return std::nullopt;
  AuthorReader reader(value);
  const auto written = reader.read();
  if (written.size() != 1 || !reader.is_plain()) return std::nullopt;
  const auto domain = Domain::parse(written.front());
  if (!domain) return std::nullopt;
  return *domain;
}

}  // namespace relay::mail
