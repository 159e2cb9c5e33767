#include "relay/auth/results/parser.hpp"

#include <algorithm>
#include <cstdint>

#include "relay/auth/results/cursor.hpp"
#include "relay/base/text.hpp"
#include "relay/mail/address.hpp"

namespace relay::auth::results {

namespace {

/// Octets of a Keyword of RFC 5321 §4.1.2, and the underscore, which some write.
bool is_keyword_octet(char c) {
  return base::is_alpha(c) || base::is_digit(c) || c == '-' || c == '_';
}

/// Octets of an unquoted pvalue: of local parts and names, "=" included.
bool is_value_octet(char c) {
  constexpr std::string_view kEnds = "();\"";
  return static_cast<unsigned char>(c) > ' ' && c != '\x7F' &&
         kEnds.find(c) == std::string_view::npos;
}

/// A pvalue: a value, or a mailbox, whose local part may be quoted or missing ("@domain").
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

/// [CFWS] keyword [CFWS], in lower case; "" if there is none.
std::string keyword(Cursor& cursor) {
  if (!cursor.skip_cfws()) return {};
  std::string word = base::lower(cursor.take_while(is_keyword_octet));
  return cursor.skip_cfws() ? word : std::string();
}

bool begins_with_property(Cursor cursor);

/// Strict follows the grammar. Lenient: if "=" is followed by white space and another property, the
/// value is empty; by the grammar that property would be the value.
enum class Reading : std::uint8_t { Strict, Lenient };

/// "=" pvalue
std::optional<std::string> read_value(Cursor& cursor, Reading reading) {
  if (!cursor.take('=')) return std::nullopt;
  const bool may_be_empty = reading == Reading::Lenient && cursor.next_is_white();
  if (may_be_empty && begins_with_property(cursor)) return std::nullopt;
  if (!cursor.skip_cfws()) return std::nullopt;
  auto value = pvalue(cursor);
  if (!value || !cursor.skip_cfws()) return std::nullopt;
  return value;
}

/// What follows a ptype: "." property "=" pvalue.
bool read_property(Cursor& cursor, std::string ptype, Result& result, Reading reading) {
  if (!cursor.take('.')) return false;
  std::string name = keyword(cursor);
  if (name.empty()) return false;
  auto value = read_value(cursor, reading);
  if (!value) return false;
  result.properties.push_back({std::move(ptype), std::move(name), std::move(*value)});
  return true;
}

/// What follows "reason": "=" value. Parsed as pvalue, because some write a word that is no token.
bool read_reason(Cursor& cursor, Result& result, Reading reading) {
  auto value = read_value(cursor, reading);
  if (value) result.reason = std::move(*value);
  return value.has_value();
}

/// A reason or a property.
bool read_detail(Cursor& cursor, Result& result, Reading reading) {
  std::string word = keyword(cursor);
  if (word.empty()) return false;
  return word == "reason" && cursor.next_is('=')
             ? read_reason(cursor, result, reading)
             : read_property(cursor, std::move(word), result, reading);
}

bool begins_with_property(Cursor cursor) {
  Result ignored;
  std::string ptype = keyword(cursor);
  return !ptype.empty() && read_property(cursor, std::move(ptype), ignored, Reading::Strict);
}

/// method [ "/" version ] "=" result
std::optional<Result> read_head(Cursor& cursor) {
  Result result;
  result.method = keyword(cursor);
  if (result.method.empty()) return std::nullopt;
  if (cursor.take('/') && (keyword(cursor) != "1")) return std::nullopt;
  if (!cursor.take('=')) return std::nullopt;
  result.result = keyword(cursor);
  if (result.result.empty()) return std::nullopt;
  return result;
}

/// What follows ";": method and result, [ reason ], properties.
std::optional<Result> read_result(Cursor& cursor) {
  auto result = read_head(cursor);
  while (result && !cursor.at_end() && !cursor.next_is(';')) {
    if (!read_detail(cursor, *result, Reading::Strict)) return std::nullopt;
  }
  return result;
}

/// One part, with words that belong to nothing skipped; nullopt when it is no result.
std::optional<Result> read_result_leniently(std::string_view part) {
  Cursor cursor(part);
  auto result = read_head(cursor);
  while (result && !cursor.at_end()) {
    Cursor ahead = cursor;
    if (read_detail(ahead, *result, Reading::Lenient)) {
      cursor = ahead;
    } else {
      cursor.skip_word();
      cursor.skip_cfws();
    }
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

/// Whether the rest is exactly "; none".
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

std::optional<std::string> domain_in(std::string_view value) {
  if (value.starts_with('<') && value.ends_with('>')) value = value.substr(1, value.size() - 2);
  const std::size_t at = value.rfind('@');
  if (at != std::string_view::npos) value.remove_prefix(at + 1);
  const auto domain = mail::Domain::parse(value);
  if (!domain || domain->is_literal()) return std::nullopt;
  return domain->folded();
}

std::optional<Results> parse_results(std::string_view value) {
  Cursor cursor(value);
  std::string version;
  auto id = read_authserv_id(cursor, version);
  if (!id || (!version.empty() && version != "1")) return std::nullopt;
  Results read{std::move(*id), {}};
  if (is_none(cursor)) return read;
  if (cursor.at_end()) return std::nullopt;  // without results there must be "none"
  while (cursor.take(';')) {
    auto result = read_result(cursor);
    if (!result) return std::nullopt;
    read.results.push_back(std::move(*result));
  }
  return read;
}

std::optional<Results> parse_results_leniently(std::string_view value) {
  Results read;
  Cursor cursor(value);
  auto part = cursor.part();
  if (!part) return std::nullopt;
  if (auto id = authserv_id_of(*part)) {
    read.authserv_id = std::move(*id);
    part = std::string_view();
  }
  while (true) {
    if (auto result = read_result_leniently(*part)) read.results.push_back(std::move(*result));
    if (!cursor.take(';')) return read;
    part = cursor.part();
    if (!part) return std::nullopt;
  }
}

}  // namespace relay::auth::results
