// Obsolete forms (RFC 5322 §4.4) are read where they are unambiguous.
#include "relay/mail/author.hpp"

#include <algorithm>

#include "relay/base/text.hpp"
#include "relay/mail/header.hpp"

namespace relay::mail {

namespace {

bool is_atext(char c) {
  constexpr std::string_view kSpecials = "!#$%&'*+-/=?^_`{|}~";
  return base::is_alpha(c) || base::is_digit(c) || static_cast<unsigned char>(c) >= 0x80 ||
         kSpecials.find(c) != std::string_view::npos;
}

/// Reads the address list of a From field. Each step returns false, or an empty text, on anything
/// it does not know: a From that two readers could understand differently must not name an author.
class AuthorReader {
 public:
  explicit AuthorReader(std::string_view text) : rest_(text) {}

  /// The domains as written, comments and white space removed; empty when it is no address list.
  std::vector<std::string> read() {
    while (read_address()) {
      if (rest_.empty()) return open_comment_ ? std::vector<std::string>() : domains_;
      if (!take(',')) break;
      plain_ = false;
    }
    return {};
  }

  /// One mailbox and nothing else.
  bool is_plain() const { return plain_; }

  /// A group without members, and nothing else: a list all the same.
  bool is_empty_group() const {
    return empty_group_ && domains_.empty() && rest_.empty() && !open_comment_;
  }

 private:
  /// A mailbox or a group (RFC 5322 §3.4, RFC 6854 §2.1).
  bool read_address() {
    if (!read_words()) return false;
    if (words_ > 0 && rest_.starts_with(':')) return read_group();
    return read_mailbox() && skip_comments();
  }

  bool read_group() {
    plain_ = false;
    take(':');
    if (take(';')) {
      empty_group_ = true;
      return skip_comments();
    }
    do {
      if (!read_words() || !read_mailbox()) return false;
    } while (take(','));
    return take(';') && skip_comments();
  }

  /// What follows the words in front: "@domain", or an address in brackets.
  bool read_mailbox() {
    if (take('<')) return read_bracketed();
    if (words_ == 0 || !take('@') || !add(read_domain())) return false;
    if (!rest_.starts_with('<')) return true;
    // "a@x <b@y>": forbidden, frequent, and shown in either way.
    plain_ = false;
    return take('<') && read_bracketed();
  }

  bool read_bracketed() {
    // What stands before is a display name: words without a meaning here.
    if (!read_words() || words_ == 0 || !take('@')) return false;
    return add(read_domain()) && take('>');
  }

  bool add(std::string domain) {
    if (domain.empty()) return false;
    domains_.push_back(std::move(domain));
    return true;
  }

  bool take(char c) {
    if (!skip_comments() || !rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// White space and nested comments (CFWS); false when a comment does not end.
  bool skip_comments() {
    std::size_t depth = 0;
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (depth == 0 && c != '(' && c != ' ' && c != '\t') return true;
      if (c == '(') ++depth;
      if (c == ')') --depth;
      if (c == '\\' && rest_.size() > 1) rest_.remove_prefix(1);
      rest_.remove_prefix(1);
    }
    open_comment_ = open_comment_ || depth > 0;
    return depth == 0;
  }

  bool skip_quoted_string() {
    rest_.remove_prefix(1);
    while (!rest_.empty() && rest_.front() != '"') {
      rest_.remove_prefix(rest_.front() == '\\' && rest_.size() > 1 ? 2 : 1);
    }
    if (rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// Atoms, quoted strings and dots: a display name or a local part.
  bool read_words() {
    words_ = 0;
    while (skip_comments()) {
      if (rest_.empty()) return true;
      if (rest_.front() == '"') {
        if (!skip_quoted_string()) return false;
      } else if (is_atext(rest_.front()) || rest_.front() == '.') {
        rest_.remove_prefix(1);
      } else {
        return true;
      }
      ++words_;
    }
    return false;
  }

  std::string read_domain() {
    std::string domain;
    if (!skip_comments()) return {};
    if (rest_.starts_with('[')) {
      const std::size_t end = rest_.find(']');
      if (end == std::string_view::npos) return {};
      domain = rest_.substr(0, end + 1);
      rest_.remove_prefix(end + 1);
      return domain;
    }
    bool after_dot = true;
    while (skip_comments() && !rest_.empty()) {
      if (rest_.front() == '.') {
        after_dot = true;
        domain += '.';
        rest_.remove_prefix(1);
        continue;
      }
      const auto end = std::ranges::find_if_not(rest_, is_atext);
      const auto size = static_cast<std::size_t>(end - rest_.begin());
      if (size == 0) break;
      if (!after_dot) return {};  // "a b": two atoms without a dot
      domain += rest_.substr(0, size);
      rest_.remove_prefix(size);
      after_dot = false;
    }
    return domain;
  }

  std::string_view rest_;
  std::size_t words_ = 0;  ///< just read
  std::vector<std::string> domains_;
  bool plain_ = true;
  bool open_comment_ = false;
  bool empty_group_ = false;
};

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return c == '\t' || (c >= ' ' && c != '\x7F') || static_cast<unsigned char>(c) >= 0x80;
  });
}

/// CR or LF alone, or NUL: readers differ about where such lines end.
bool has_odd_line_ends(std::string_view block) {
  for (std::size_t i = 0; i < block.size(); ++i) {
    if (block[i] == '\0' || block[i] == '\n') return true;
    if (block[i] != '\r') continue;
    if (block.substr(i, 2) != "\r\n") return true;
    ++i;
  }
  return false;
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

/// A line that is no field to us but may hold a From field for another reader: " From: a@b",
/// "From\r\n : a@b", "Fr om: a@b" (Chen et al., "Composition Kills", §5.1).
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

std::expected<std::vector<Domain>, AuthorProblem> author_domains(std::string_view header_block) {
  const std::string_view block =
      header_block.substr(0, header_length(header_block).value_or(header_block.size()));
  if (block.size() > kMaxHeaderOctets || has_odd_line_ends(block)) {
    return std::unexpected(AuthorProblem::UnreadableHeader);
  }
  const auto fields = readable_fields(block);
  if (fields.size() > kMaxHeaderFields) return std::unexpected(AuthorProblem::UnreadableHeader);
  const auto authors = find_fields(fields, "From");
  if (authors.size() > 1 || std::ranges::any_of(unreadable_lines(block), resembles_from)) {
    return std::unexpected(AuthorProblem::SeveralFields);
  }
  if (authors.empty()) return std::unexpected(AuthorProblem::NoField);
  const std::string value = unfolded(authors.front().value);
  if (!is_printable(value)) return std::unexpected(AuthorProblem::UnreadableField);

  AuthorReader reader(value);
  const auto written = reader.read();
  if (reader.is_empty_group()) return std::unexpected(AuthorProblem::NoDomain);
  if (written.empty()) return std::unexpected(AuthorProblem::UnreadableField);
  std::vector<Domain> domains;
  for (const std::string& text : written) {
    const auto domain = Domain::parse(text);
    if (!domain) return std::unexpected(AuthorProblem::UnreadableField);
    if (domain->is_literal()) return std::unexpected(AuthorProblem::NoDomain);
    if (std::ranges::find(domains, *domain) != domains.end()) continue;
    if (domains.size() == kMaxAuthorDomains) return std::unexpected(AuthorProblem::TooManyDomains);
    domains.push_back(*domain);
  }
  return domains;
}

std::optional<Domain> author_domain(std::string_view header_block) {
  const auto fields = split_header(header_block);
  if (!fields) return std::nullopt;
  const auto authors = find_fields(*fields, "From");
  if (authors.size() != 1) return std::nullopt;
  const std::string value = unfolded(authors.front().value);
  if (!is_printable(value)) return std::nullopt;
  AuthorReader reader(value);
  const auto written = reader.read();
  if (written.size() != 1 || !reader.is_plain()) return std::nullopt;
  const auto domain = Domain::parse(written.front());
  if (!domain) return std::nullopt;
  return *domain;
}

}  // namespace relay::mail
