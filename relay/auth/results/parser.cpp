#include "relay/auth/results/parser.hpp"

#include <algorithm>

#include "relay/base/text.hpp"

namespace relay::auth::results {

namespace {

bool is_white(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// A token octet of RFC 2045 §5.1, or of UTF-8 (RFC 8616 §4).
bool is_token_octet(char c) {
  constexpr std::string_view kTspecials = "()<>@,;:\\\"/[]?=";
  return static_cast<unsigned char>(c) > ' ' && c != '\x7F' &&
         kTspecials.find(c) == std::string_view::npos;
}

/// Keyword of RFC 5321 §4.1.2, and the underscore some write.
bool is_keyword_octet(char c) {
  return base::is_alpha(c) || base::is_digit(c) || c == '-' || c == '_';
}

/// Within a pvalue that is no quoted string: local parts and names, "=" included.
bool is_value_octet(char c) {
  constexpr std::string_view kEnds = "();\"";
  return static_cast<unsigned char>(c) > ' ' && c != '\x7F' &&
         kEnds.find(c) == std::string_view::npos;
}

class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }

  bool next_is(char c) const { return !at_end() && text_[at_] == c; }

  bool take(char c) {
    if (!next_is(c)) return false;
    ++at_;
    return true;
  }

  /// White space and comments, nested as deep as they like; false when one does not end.
  bool skip_cfws() {
    while (!at_end()) {
      if (is_white(text_[at_])) {
        ++at_;
      } else if (text_[at_] != '(') {
        return true;
      } else if (!skip_comment()) {
        return false;
      }
    }
    return true;
  }

  std::string_view take_while(bool (*belongs)(char)) {
    const std::size_t begin = at_;
    while (!at_end() && belongs(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  /// The content of a quoted string, quoted pairs and folding undone.
  std::optional<std::string> quoted_string() {
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

  /// value of RFC 2045: a token or a quoted string.
  std::optional<std::string> value() {
    if (next_is('"')) return quoted_string();
    std::string token(take_while(is_token_octet));
    if (token.empty()) return std::nullopt;
    return token;
  }

 private:
  bool skip_comment() {
    std::size_t depth = 0;
    while (!at_end()) {
      const char c = text_[at_++];
      if (c == '\\' && !at_end()) ++at_;
      if (c == '(') ++depth;
      if (c == ')' && --depth == 0) return true;
    }
    return false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// pvalue: a value, or a mailbox whose local part may be a quoted string; "@" alone may lead.
std::optional<std::string> pvalue(Cursor& cursor) {
  std::string text;
  if (cursor.next_is('"')) {
    auto quoted = cursor.quoted_string();
    if (!quoted) return std::nullopt;
    text = std::move(*quoted);
    if (!cursor.next_is('@')) return text;
  }
  text += cursor.take_while(is_value_octet);
  if (text.empty()) return std::nullopt;
  return text;
}

/// [CFWS] keyword [CFWS], in lower case; "" when there is none.
std::string keyword(Cursor& cursor) {
  if (!cursor.skip_cfws()) return {};
  std::string word = base::lower(cursor.take_while(is_keyword_octet));
  return cursor.skip_cfws() ? word : std::string();
}

/// Behind ptype: "." property "=" pvalue.
bool read_property(Cursor& cursor, std::string ptype, Result& result) {
  if (!cursor.take('.')) return false;
  std::string name = keyword(cursor);
  if (name.empty() || !cursor.take('=') || !cursor.skip_cfws()) return false;
  auto value = pvalue(cursor);
  if (!value || !cursor.skip_cfws()) return false;
  result.properties.push_back({std::move(ptype), std::move(name), std::move(*value)});
  return true;
}

/// Behind "reason": "=" value. Some write a word that is no token; it is read as pvalue.
bool read_reason(Cursor& cursor, Result& result) {
  if (!cursor.take('=') || !cursor.skip_cfws()) return false;
  auto value = pvalue(cursor);
  if (!value || !cursor.skip_cfws()) return false;
  result.reason = std::move(*value);
  return true;
}

/// Behind ";": method [ "/" version ] "=" result [ reason ] properties.
std::optional<Result> read_result(Cursor& cursor) {
  Result result;
  result.method = keyword(cursor);
  if (result.method.empty()) return std::nullopt;
  if (cursor.take('/') && (keyword(cursor) != "1")) return std::nullopt;
  if (!cursor.take('=')) return std::nullopt;
  result.result = keyword(cursor);
  if (result.result.empty()) return std::nullopt;
  while (!cursor.at_end() && !cursor.next_is(';')) {
    std::string word = keyword(cursor);
    if (word.empty()) return std::nullopt;
    const bool good = word == "reason" && cursor.next_is('=')
                          ? read_reason(cursor, result)
                          : read_property(cursor, std::move(word), result);
    if (!good) return std::nullopt;
  }
  return result;
}

/// authserv-id [ version ], up to the ";" or the end.
std::optional<std::string> read_authserv_id(Cursor& cursor, std::string& version) {
  if (!cursor.skip_cfws()) return std::nullopt;
  auto id = cursor.value();
  if (!id || !cursor.skip_cfws()) return std::nullopt;
  version = cursor.take_while(base::is_digit);
  if (!cursor.skip_cfws()) return std::nullopt;
  if (!cursor.at_end() && !cursor.next_is(';')) return std::nullopt;
  return id;
}

/// "; none", and nothing behind it.
bool is_none(Cursor cursor) {
  return cursor.take(';') && keyword(cursor) == "none" && cursor.at_end();
}

}  // namespace

const std::string* Result::find(std::string_view full_name) const {
  const auto found = std::ranges::find_if(properties, [&](const Property& property) {
    return full_name.size() == property.ptype.size() + 1 + property.name.size() &&
           full_name.starts_with(property.ptype) && full_name.ends_with(property.name);
  });
  return found == properties.end() ? nullptr : &found->value;
}

std::optional<std::string> authserv_id_of(std::string_view value) {
  Cursor cursor(value);
  std::string version;
  return read_authserv_id(cursor, version);
}

std::optional<Results> parse_results(std::string_view value) {
  Cursor cursor(value);
  std::string version;
  auto id = read_authserv_id(cursor, version);
  if (!id || (!version.empty() && version != "1")) return std::nullopt;
  Results read{std::move(*id), {}};
  if (is_none(cursor)) return read;
  if (cursor.at_end()) return std::nullopt;  // no-result says "none"
  while (cursor.take(';')) {
    auto result = read_result(cursor);
    if (!result) return std::nullopt;
    read.results.push_back(std::move(*result));
  }
  return read;
}

}  // namespace relay::auth::results
