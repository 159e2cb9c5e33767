#include "relay/auth/results/cursor.hpp"

#include "relay/base/text.hpp"

namespace relay::auth::results {

namespace {

/// A token octet of RFC 2045 §5.1, or of UTF-8 (RFC 8616 §4).
bool is_token_octet(char c) {
  constexpr std::string_view kTspecials = "()<>@,;:\\\"/[]?=";
  return static_cast<unsigned char>(c) > ' ' && c != '\x7F' &&
         kTspecials.find(c) == std::string_view::npos;
}

}  // namespace

bool Cursor::next_is_white() const { return !at_end() && base::is_white(text_[at_]); }

bool Cursor::take(char c) {
  if (!next_is(c)) return false;
  ++at_;
  return true;
}

bool Cursor::skip_cfws() {
  while (!at_end()) {
    if (next_is_white()) {
      ++at_;
    } else if (!next_is('(')) {
      return true;
    } else if (!skip_comment()) {
      return false;
    }
  }
  return true;
}

std::string_view Cursor::take_while(bool (*belongs)(char)) {
  const std::size_t begin = at_;
  while (!at_end() && belongs(text_[at_])) ++at_;
  return text_.substr(begin, at_ - begin);
}

std::optional<std::string> Cursor::quoted_string() {
  if (!take('"')) return std::nullopt;
  std::string content;
  while (!at_end()) {
    const char c = text_[at_++];
    if (c == '"') return content;
    if (c == '\\') {
      if (at_end()) return std::nullopt;
      content += text_[at_++];
    } else if (c != '\r' && c != '\n') {
      content += c;
    }
  }
  return std::nullopt;
}

std::optional<std::string> Cursor::value() {
  if (next_is('"')) return quoted_string();
  std::string token(take_while(is_token_octet));
  if (token.empty()) return std::nullopt;
  return token;
}

std::optional<std::string_view> Cursor::part() {
  const std::size_t begin = at_;
  while (!at_end() && !next_is(';')) {
    const bool ends = next_is('(') ? skip_comment() : skip_octet();
    if (!ends) return std::nullopt;
  }
  return text_.substr(begin, at_ - begin);
}

void Cursor::skip_word() {
  while (!at_end() && !next_is_white() && !next_is('(') && skip_octet()) {
  }
}

/// Skips one octet or a quoted string; false if the string does not end.
bool Cursor::skip_octet() {
  if (next_is('"')) return quoted_string().has_value();
  ++at_;
  return true;
}

bool Cursor::skip_comment() {
  std::size_t depth = 0;
  while (!at_end()) {
    const char c = text_[at_++];
    if (c == '\\' && !at_end()) ++at_;
    if (c == '(') ++depth;
    if (c == ')' && --depth == 0) return true;
  }
  return false;
}

}  // namespace relay::auth::results
