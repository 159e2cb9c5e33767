#include "relay/mail/received.hpp"

#include <algorithm>
#include <vector>

#include "relay/base/text.hpp"
#include "relay/mail/address.hpp"

namespace relay::mail {

namespace {

/// A word, or a comment without its outer parentheses.
struct Piece {
  std::string text;
  bool is_comment = false;
};

/// Cuts a value into pieces, up to the ";" before the date.
class Pieces {
 public:
  explicit Pieces(std::string_view text) : text_(text) {}

  /// nullopt: a comment or quoted string does not end.
  std::optional<std::vector<Piece>> read() {
    std::vector<Piece> pieces;
    while (at_ < text_.size() && text_[at_] != ';') {
      if (base::is_white(text_[at_])) {
        ++at_;
        continue;
      }
      Piece piece{.text = {}, .is_comment = text_[at_] == '('};
      if (!(piece.is_comment ? take_comment(piece.text) : take_word(piece.text))) {
        return std::nullopt;
      }
      pieces.push_back(std::move(piece));
    }
    return pieces;
  }

 private:
  bool take_comment(std::string& into) {
    int depth = 0;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == ')' && --depth == 0) {
        ++at_;
        return true;
      }
      if (depth > 0) into += base::is_white(c) ? ' ' : c;
      if (c == '(') ++depth;
      if (c == '\\' && at_ + 1 < text_.size()) into += text_[++at_];
    }
    return false;
  }

  bool take_word(std::string& into) {
    bool quoted = false;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (!quoted && (base::is_white(c) || c == '(' || c == ';')) return true;
      if (c == '"') quoted = !quoted;
      into += c;
      if (c == '\\' && at_ + 1 < text_.size()) into += text_[++at_];
    }
    return !quoted;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// Where the client's own name begins in a comment: "helo=…", "HELO …"; npos: nowhere.
std::size_t helo_in(std::string_view comment) {
  for (std::size_t at = 0; at + 5 <= comment.size(); ++at) {
    const bool is_start = at == 0 || comment[at - 1] == ' ';
    const std::string_view word = comment.substr(at, 4);
    const char next = comment[at + 4];
    if (is_start && (next == '=' || next == ' ') &&
        (base::equal_ignoring_case(word, "helo") || base::equal_ignoring_case(word, "ehlo"))) {
      return at;
    }
  }
  return std::string_view::npos;
}

std::string first_word(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  return std::string(text.substr(0, text.find(' ')));
}

bool could_be_address(std::string_view text) {
  return text.find_first_of(".:") != std::string_view::npos &&
         text.find_first_not_of("0123456789abcdefABCDEF.:") == std::string_view::npos;
}

/// The address in "[192.0.2.1]" or "[IPv6:2001:db8::1]" at the beginning of the text; else "".
std::string literal_at(std::string_view text) {
  const std::size_t end = text.find(']');
  if (!text.starts_with('[') || end == std::string_view::npos) return {};
  std::string_view inside = text.substr(1, end - 1);
  if (base::starts_with_ignoring_case(inside, "IPv6:")) inside.remove_prefix(5);
  return could_be_address(inside) ? std::string(inside) : std::string();
}

std::string folded(std::string_view name) {
  while (name.ends_with('.')) name.remove_suffix(1);
  const auto domain = Domain::parse(name);
  return domain ? domain->folded() : base::lower(name);
}

/// Reads a comment between "from" and "by".
void read_comment(std::string_view comment, Received& into) {
  const std::size_t helo = helo_in(comment);
  if (helo != std::string_view::npos) {
    into.helo = first_word(comment.substr(helo + 5));
    comment = comment.substr(0, helo);
  }
  if (!into.address.empty()) return;
  const std::size_t bracket = comment.find('[');
  if (bracket != std::string_view::npos) {
    into.address = literal_at(comment.substr(bracket));
    std::string name = first_word(comment.substr(0, bracket));
    name = name.substr(name.rfind('@') + 1);  // Sendmail writes "user@name" with identd
    if (!comment.contains("forged")) into.reverse_name = folded(name);
  } else if (const std::string word = first_word(comment); could_be_address(word)) {
    into.address = word;
  }
}

}  // namespace

std::optional<Received> read_received(std::string_view value) {
  const auto pieces = Pieces(value).read();
  if (!pieces) return std::nullopt;
  Received out;
  std::string from;
  std::string other;  // an address literal beside the name
  auto at = pieces->begin();
  if (at != pieces->end() && base::equal_ignoring_case(at->text, "from") && ++at != pieces->end()) {
    if (!at->is_comment) from = (at++)->text;
  }
  for (; at != pieces->end(); ++at) {
    if (at->is_comment) {
      read_comment(at->text, out);
    } else if (base::equal_ignoring_case(at->text, "by")) {
      break;
    } else if (other.empty()) {
      other = literal_at(at->text);
    }
  }
  if (at != pieces->end() && ++at != pieces->end() && !at->is_comment) out.by = folded(at->text);
  if (out.address.empty()) out.address = other.empty() ? literal_at(from) : other;
  const bool is_address = !out.address.empty() && literal_at(from) == out.address;
  if (!out.helo.empty() && !is_address && out.reverse_name.empty()) {
    out.reverse_name = folded(from);
  } else if (out.helo.empty()) {
    out.helo = from;
  }
  return out;
}

}  // namespace relay::mail
