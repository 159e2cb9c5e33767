#include "relay/auth/results/value.hpp"

#include <algorithm>

#include "relay/base/text.hpp"
#include "relay/mail/address.hpp"

namespace relay::auth::results {

namespace {

constexpr std::size_t kMaxOctets = 255;
constexpr std::size_t kMaxReasonOctets = 120;
constexpr std::string_view kUnknown = "unknown";

bool is_printable(char c) { return c >= ' ' && c <= '~'; }

bool is_ascii_token_octet(char c) {
  constexpr std::string_view kTspecials = "()<>@,;:\\\"/[]?=";
  return is_printable(c) && c != ' ' && kTspecials.find(c) == std::string_view::npos;
}

/// Allowed in quotes: octets that a parser without support for quotes cannot take for structure.
bool is_harmless(char c) {
  constexpr std::string_view kStructure = "\"\\();=";
  return is_printable(c) && kStructure.find(c) == std::string_view::npos;
}

/// atext of RFC 5322 §3.2.3 and the dot, without "=".
bool is_plain_octet(char c) {
  constexpr std::string_view kOthers = "<>[]:,@";
  return is_harmless(c) && c != ' ' && kOthers.find(c) == std::string_view::npos;
}

/// Valid UTF-8 without C1 controls and without characters that are invisible, change the text
/// direction or break lines.
bool is_visible_utf8(std::string_view text) {
  if (!mail::is_valid_utf8(text)) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = text.substr(i);
    const auto follows = [&](std::string_view head, char low, char high) {
      return rest.starts_with(head) && rest[head.size()] >= low && rest[head.size()] <= high;
    };
    if (follows("\xC2", '\x80', '\xA0') || follows("\xE2\x80", '\x80', '\x8F') ||
        follows("\xE2\x80", '\xA8', '\xAF') || follows("\xE2\x81", '\xA0', '\xAF') ||
        rest.starts_with("\xEF\xBB\xBF") || rest.starts_with("\xD8\x9C")) {
      return false;
    }
  }
  return true;
}

bool is_plain_local_part(std::string_view text, Octets octets) {
  if (text.empty() || text.size() > mail::kMaxLocalPartOctets) return false;
  if (text.front() == '.' || text.back() == '.') return false;
  if (text.find("..") != std::string_view::npos) return false;
  const bool utf8 = octets == Octets::Utf8 && is_visible_utf8(text);
  return std::ranges::all_of(
      text, [&](char c) { return is_plain_octet(c) || (utf8 && base::is_eight_bit(c)); });
}

}  // namespace

Value Value::of(std::string_view text) {
  if (text.empty() || text.size() > kMaxOctets) return Value(std::string(kUnknown));
  if (std::ranges::all_of(text, is_ascii_token_octet)) return Value(std::string(text));
  if (std::ranges::all_of(text, is_harmless)) return Value("\"" + std::string(text) + "\"");
  return Value(std::string(kUnknown));
}

Value Value::domain(std::string_view text) {
  const auto domain = mail::Domain::parse(text);
  return of(domain ? domain->folded() : text);
}

Value Value::mailbox(std::string_view local_part, std::string_view domain, Octets octets) {
  const auto parsed = mail::Domain::parse(domain);
  // A literal needs quotes, and "ann@[192.0.2.1]" in quotes is no mailbox.
  if (!parsed || parsed->is_literal()) return Value::domain(domain);
  if (local_part.empty()) return Value("@" + parsed->folded());
  if (!is_plain_local_part(local_part, octets)) return Value(parsed->folded());
  return Value(std::string(local_part) + "@" + parsed->folded());
}

Value Value::address(std::string_view text, Octets octets) {
  const auto at = text.rfind('@');
  if (at == std::string_view::npos) return domain(text);
  return mailbox(text.substr(0, at), text.substr(at + 1), octets);
}

Value Value::reason(std::string_view text) {
  std::string kept;
  for (const char c : text.substr(0, kMaxReasonOctets)) {
    if (is_harmless(c)) kept += c;
  }
  return Value("\"" + kept + "\"");
}

}  // namespace relay::auth::results
