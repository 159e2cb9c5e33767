#include "relay/mail/author_reader.hpp"

#include <algorithm>

#include "relay/base/text.hpp"
#include "relay/mail/address.hpp"

namespace relay::mail {

namespace {

constexpr std::ptrdiff_t kMaxAtSigns = 64;
constexpr std::ptrdiff_t kMaxMarks = 64;

}  // namespace

std::vector<std::string> AuthorReader::read() {
  while (read_address()) {
    if (rest_.empty()) return open_comment_ ? std::vector<std::string>() : domains_;
    if (!take(',')) break;
    plain_ = false;
  }
  return {};
}

/// A mailbox or a group (RFC 5322 §3.4, RFC 6854 §2.1).
bool AuthorReader::read_address() {
  if (!read_words()) return false;
  if (words_ > 0 && rest_.starts_with(':')) return read_group();
  return read_mailbox() && skip_comments();
}

bool AuthorReader::read_group() {
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

/// Reads what follows the words in front: "@domain", or an address in "<" and ">".
bool AuthorReader::read_mailbox() {
  if (take('<')) return read_bracketed();
  if (words_ == 0 || !take('@') || !add(read_domain())) return false;
  if (!rest_.starts_with('<')) return true;
  // "a@x <b@y>" is forbidden, but frequent; mail programs show either address, so both domains
  // count.
  plain_ = false;
  return take('<') && read_bracketed();
}

bool AuthorReader::read_bracketed() {
  // The words before "<" were a display name; these are the local part.
  if (!read_words() || words_ == 0 || !take('@')) return false;
  return add(read_domain()) && take('>');
}

bool AuthorReader::add(std::string domain) {
  if (domain.empty()) return false;
  domains_.push_back(std::move(domain));
  return true;
}

bool AuthorReader::take(char c) {
  if (!skip_comments() || !rest_.starts_with(c)) return false;
  rest_.remove_prefix(1);
  return true;
}

/// Skips white space and nested comments (CFWS); false when a comment does not end.
bool AuthorReader::skip_comments() {
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

bool AuthorReader::skip_quoted_string() {
  rest_.remove_prefix(1);
  while (!rest_.empty() && rest_.front() != '"') {
    rest_.remove_prefix(rest_.front() == '\\' && rest_.size() > 1 ? 2 : 1);
  }
  if (rest_.empty()) return false;
  rest_.remove_prefix(1);
  return true;
}

/// Skips atoms, quoted strings and dots (a display name or a local part), and counts them in
/// words_.
bool AuthorReader::read_words() {
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

std::string AuthorReader::read_literal() {
  const std::size_t end = rest_.find(']');
  if (end == std::string_view::npos) return {};
  std::string literal(rest_.substr(0, end + 1));
  rest_.remove_prefix(end + 1);
  return literal;
}

/// Reads a domain up to its end: it goes on only after a dot; white space and comments may stand
/// around dots. An address literal is returned as it stands.
std::string AuthorReader::read_dotted() {
  std::string name;
  bool after_dot = true;
  while (skip_comments() && !rest_.empty()) {
    if (name.empty() && rest_.starts_with('[')) return read_literal();
    const auto end = std::ranges::find_if_not(rest_, is_atext);
    const auto size = static_cast<std::size_t>(end - rest_.begin());
    const bool is_dot = rest_.front() == '.';
    if (!is_dot && (size == 0 || !after_dot)) break;
    name += is_dot ? std::string_view(".") : rest_.substr(0, size);
    rest_.remove_prefix(is_dot ? 1 : size);
    after_dot = is_dot;
  }
  return name;
}

std::string AuthorReader::read_domain() {
  std::string domain = read_dotted();
  const bool goes_on = !rest_.empty() && is_atext(rest_.front());  // "a b": two atoms without a dot
  return goes_on && !domain.ends_with(']') ? std::string() : domain;
}

std::string AuthorReader::visible(std::string_view text) {
  std::string shown;
  const auto marks = std::ranges::count_if(text, [](char c) { return c == '"' || c == '('; });
  if (marks > kMaxMarks) return shown;  // each costs a scan of the rest
  AuthorReader reader(text);
  while (!reader.rest_.empty()) {
    const std::string_view before = reader.rest_;
    const char c = before.front();
    const bool ends =
        (c == '"' && reader.skip_quoted_string()) || (c == '(' && reader.skip_comments());
    if (ends) continue;
    shown += c;  // a quote or parenthesis that is never closed is ordinary text
    reader.rest_ = before.substr(1);
  }
  return shown;
}

std::vector<std::string> AuthorReader::names_behind_at_signs(std::string_view text) {
  std::vector<std::string> names;
  if (std::ranges::count(text, '@') > kMaxAtSigns) return names;  // each costs a scan of the rest
  for (std::size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1)) {
    AuthorReader reader(text.substr(at + 1));
    std::string name = reader.read_dotted();
    while (name.ends_with('.')) name.pop_back();
    if (name.starts_with('[') || name.find('.') != std::string::npos) names.push_back(name);
  }
  return names;
}

}  // namespace relay::mail
