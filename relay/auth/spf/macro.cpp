#include "relay/auth/spf/macro.hpp"

#include <algorithm>
#include <ranges>

#include "relay/base/text.hpp"

namespace relay::auth::spf {

namespace {

constexpr std::string_view kLetters = "slodiphcrtv";
constexpr std::string_view kExplanationLetters = "crt";  // RFC 7208 §7.2
constexpr std::string_view kDelimiters = ".-+,/_=";

constexpr bool is_alphanumeric(char c) { return base::is_alpha(c) || base::is_digit(c); }

constexpr bool is_visible(char c) { return c > ' ' && c < '\x7f'; }

/// RFC 7208 §7.1: a dot, the label, and optionally a dot at the end.
bool ends_in_top_label(std::string_view literal) {
  if (literal.ends_with('.')) literal.remove_suffix(1);
  const auto dot = literal.rfind('.');
  if (dot == std::string_view::npos) return false;
  const auto label = literal.substr(dot + 1);
  if (label.empty() || label.front() == '-' || label.back() == '-') return false;
  const auto belongs = [](char c) { return is_alphanumeric(c) || c == '-'; };
  return std::ranges::all_of(label, belongs) && !std::ranges::all_of(label, base::is_digit);
}

/// Escapes everything but the unreserved characters of RFC 3986 §2.3.
std::string url_escaped(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : text) {
    if (is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      escaped += c;
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    escaped += '%';
    escaped += kHex[octet >> 4U];
    escaped += kHex[octet & 15U];
  }
  return escaped;
}

std::vector<std::string_view> split(std::string_view text, std::string_view delimiters) {
  std::vector<std::string_view> pieces;
  for (;;) {
    const auto end = text.find_first_of(delimiters);
    pieces.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return pieces;
    text.remove_prefix(end + 1);
  }
}

/// Removes labels on the left until the name is at most kMaxNameOctets long (RFC 7208 §7.3).
std::string shortened(std::string name) {
  if (name.ends_with('.')) name.pop_back();
  if (name.size() <= kMaxNameOctets) return name;
  const auto dot = name.find('.', name.size() - kMaxNameOctets - 1);
  return dot == std::string::npos ? std::string() : name.substr(dot + 1);
}

}  // namespace

std::string dotted(const boost::asio::ip::address& address) {
  if (address.is_v4()) return address.to_string();
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (const auto octet : address.to_v6().to_bytes()) {
    if (!text.empty()) text += '.';
    text += kHex[octet >> 4U];
    text += '.';
    text += kHex[octet & 15U];
  }
  return text;
}

void MacroString::append_literal(std::string_view text) {
  if (parts_.empty() || parts_.back().letter != 0) parts_.emplace_back();
  parts_.back().literal += text;
}

/// Parses the text between "%{" and "}": a letter, digits, "r", delimiters.
std::expected<MacroString::Part, std::string_view> MacroString::parse_macro(std::string_view inner,
                                                                            MacroUse use) {
  Part part;
  if (!inner.empty()) part.letter = base::lower(inner.front());
  if (part.letter == 0 || !kLetters.contains(part.letter)) {
    return std::unexpected("a macro without a known letter");
  }
  if (use == MacroUse::DomainSpec && kExplanationLetters.contains(part.letter)) {
    return std::unexpected("a macro letter that is for explanations only");
  }
  part.escaped = inner.front() != part.letter;
  inner.remove_prefix(1);

  const auto digits = inner.substr(0, inner.find_first_not_of("0123456789"));
  for (const char digit : digits) {
    part.kept = static_cast<std::uint16_t>(std::min(part.kept * 10 + (digit - '0'), 9999));
  }
  if (!digits.empty() && part.kept == 0) return std::unexpected("a macro that keeps zero parts");
  inner.remove_prefix(digits.size());
  if (!inner.empty() && base::lower(inner.front()) == 'r') {
    part.reversed = true;
    inner.remove_prefix(1);
  }
  if (inner.find_first_not_of(kDelimiters) != std::string_view::npos) {
    return std::unexpected("a macro with an unknown delimiter");
  }
  part.delimiters = inner;
  return part;
}

std::expected<MacroString, std::string_view> MacroString::parse(std::string_view text,
                                                                MacroUse use) {
  MacroString parsed;
  std::size_t plain = 0;  // where the literal text after the last macro begins
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c != '%') {
      if (!is_visible(c) && (c != ' ' || use != MacroUse::Explanation)) {
        return std::unexpected("a character outside visible US-ASCII");
      }
      parsed.append_literal(text.substr(at++, 1));
      continue;
    }
    const char kind = at + 1 < text.size() ? text[at + 1] : '\0';
    if (kind == '{') {
      const auto end = text.find('}', at);
      if (end == std::string_view::npos) return std::unexpected("a macro without its end");
      auto part = parse_macro(text.substr(at + 2, end - at - 2), use);
      if (!part) return std::unexpected(part.error());
      parsed.parts_.push_back(std::move(*part));
      at = end + 1;
    } else if (kind == '%' || kind == '_' || kind == '-') {
      parsed.append_literal(kind == '%' ? "%" : kind == '_' ? " " : "%20");
      at += 2;
    } else {
      return std::unexpected("a percent sign that begins no macro");
    }
    plain = at;
  }
  if (use != MacroUse::DomainSpec) return parsed;
  if (text.empty()) return std::unexpected("an empty domain");
  if (plain < text.size() && !ends_in_top_label(text.substr(plain))) {
    return std::unexpected("a domain that does not end in a top-level label");
  }
  return parsed;
}

bool MacroString::names_client() const {
  return std::ranges::any_of(parts_, [](const Part& part) { return part.letter == 'p'; });
}

/// The value of the letter before transformation; stored in `storage` if it has to be made.
std::string_view MacroString::value_of(const Part& part, const MacroValues& values,
                                       std::string& storage) {
  switch (part.letter) {
    case 's':
      storage.append(values.local_part).append(1, '@').append(values.sender_domain);
      return storage;
    case 'l':
      return values.local_part;
    case 'o':
      return values.sender_domain;
    case 'd':
      return values.domain;
    case 'i':
      return storage = dotted(values.client);
    case 'p':
      return values.client_name.empty() ? "unknown" : values.client_name;
    case 'h':
      return values.helo;
    case 'c':
      return storage = values.client.to_string();
    case 'r':
      return values.receiver.empty() ? "unknown" : values.receiver;
    case 't':
      return storage = std::to_string(
                 std::chrono::floor<std::chrono::seconds>(values.now).time_since_epoch().count());
    default:  // 'v': the parser accepts no other letter
      return values.client.is_v4() ? "in-addr" : "ip6";
  }
}

std::string MacroString::expanded(const Part& part, const MacroValues& values) {
  if (part.letter == 0) return part.literal;
  std::string storage;
  std::string_view value = value_of(part, values, storage);
  std::string text;
  if (part.kept == 0 && !part.reversed && part.delimiters.empty()) {
    text = value;
  } else {
    auto pieces = split(value, part.delimiters.empty() ? "." : std::string_view(part.delimiters));
    if (part.reversed) std::ranges::reverse(pieces);
    const std::size_t kept = part.kept == 0 ? pieces.size() : part.kept;
    const std::size_t first = pieces.size() - std::min(pieces.size(), kept);
    for (std::size_t i = first; i < pieces.size(); ++i) {
      if (i > first) text += '.';
      text += pieces[i];
    }
  }
  return part.escaped ? url_escaped(text) : text;
}

/// Expands from the right and stops once the name is full, so that a record with thousands of
/// macros costs no more than one that fits.
std::string MacroString::expand_name(const MacroValues& values) const {
  std::vector<std::string> tail;
  std::size_t octets = 0;
  for (const Part& part : parts_ | std::views::reverse) {
    tail.push_back(expanded(part, values));
    octets += tail.back().size();
    if (octets > kMaxNameOctets + 1) break;  // room for a dot at the end and one octet too many
  }
  std::string name;
  name.reserve(octets);
  for (const std::string& piece : tail | std::views::reverse) name += piece;
  return shortened(std::move(name));
}

std::optional<std::string> MacroString::expand_text(const MacroValues& values) const {
  std::string text;
  for (const Part& part : parts_) {
    text += expanded(part, values);
    if (text.size() > kMaxExplanationOctets) return std::nullopt;
  }
  const auto fits = [](char c) { return is_visible(c) || c == ' '; };
  if (!std::ranges::all_of(text, fits)) return std::nullopt;
  return text;
}

}  // namespace relay::auth::spf
