// Finding the author's domain in a From field (RFC 5322 §3.4, obsolete forms of §4.4 where they are
// unambiguous). Apart from header.cpp because it is a grammar of its own.
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

/// Reads one mailbox. Each step returns false, or an empty text, on anything it does not know:
/// a From that two readers could understand differently must not name an author.
class MailboxReader {
 public:
  explicit MailboxReader(std::string_view text) : rest_(text) {}

  /// The domain as written, comments and white space removed; "" when there is not one mailbox.
  std::string read() {
    if (!read_words()) return {};
    std::string domain;
    if (take('<')) {
      // What stands before is a display name: words without a meaning here.
      words_ = 0;
      if (!read_words() || words_ == 0 || !take('@')) return {};
      domain = read_domain();
      if (!take('>')) return {};
    } else {
      if (words_ == 0 || !take('@')) return {};
      domain = read_domain();
    }
    return skip_comments() && rest_.empty() ? domain : std::string();
  }

 private:
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
  std::size_t words_ = 0;
};

}  // namespace

std::optional<Domain> author_domain(std::string_view header_block) {
  const auto fields = split_header(header_block);
  if (!fields) return std::nullopt;
  const auto authors = find_fields(*fields, "From");
  if (authors.size() != 1) return std::nullopt;
  const std::string value = unfolded(authors.front().value);
  const bool printable = std::ranges::all_of(value, [](char c) {
    return c == '\t' || (c >= ' ' && c != '\x7F') || static_cast<unsigned char>(c) >= 0x80;
  });
  if (!printable) return std::nullopt;
  const auto domain = Domain::parse(MailboxReader(value).read());
  if (!domain) return std::nullopt;
  return *domain;
}

}  // namespace relay::mail
