#include "relay/base/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace relay::base {

namespace {

void append_escape(std::string& out, unsigned code) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHex[(code >> shift) & 15U];
}

/// Length of the well-formed UTF-8 sequence at `text` (RFC 3629), 0 if there is none.
std::size_t utf8_length(std::string_view text, std::uint32_t& code) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto trail = [&](std::size_t i) { return i < text.size() && (at(i) & 0xC0U) == 0x80U; };
  const unsigned char lead = at(0);
  if (lead < 0x80) {
    code = lead;
    return 1;
  }
  if (lead >= 0xC2 && lead <= 0xDF && trail(1)) {
    code = ((lead & 0x1FU) << 6) | (at(1) & 0x3FU);
    return 2;
  }
  if (lead >= 0xE0 && lead <= 0xEF && trail(1) && trail(2)) {
    code = ((lead & 0x0FU) << 12) | ((at(1) & 0x3FU) << 6) | (at(2) & 0x3FU);
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    return code < 0x800 || surrogate ? 0 : 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4 && trail(1) && trail(2) && trail(3)) {
    code =
        ((lead & 0x07U) << 18) | ((at(1) & 0x3FU) << 12) | ((at(2) & 0x3FU) << 6) | (at(3) & 0x3FU);
    return code < 0x10000 || code > 0x10FFFF ? 0 : 4;
  }
  return 0;
}

bool must_escape(std::uint32_t code) {
  const bool control = code < 0x20 || (code >= 0x7F && code <= 0x9F);
  const bool bidirectional = (code >= 0x202A && code <= 0x202E) ||
                             (code >= 0x2066 && code <= 0x2069) || code == 0x200E ||
                             code == 0x200F || code == 0x061C;
  const bool line_break = code == 0x2028 || code == 0x2029;
  return control || bidirectional || line_break || code == 0xFEFF;
}

constexpr bool is_plain(char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; }

/// How many octets at the beginning of `text` a JSON string holds as they are. A block is looked at
/// as a whole, which takes the processor hardly longer than one octet.
std::size_t plain_length(std::string_view text) {
  constexpr std::size_t kBlock = 16;
  std::size_t length = 0;
  while (text.size() - length >= kBlock) {
    bool plain = true;
    for (std::size_t i = 0; i < kBlock; ++i) plain &= is_plain(text[length + i]);
    if (!plain) break;
    length += kBlock;
  }
  while (length < text.size() && is_plain(text[length])) ++length;
  return length;
}

}  // namespace

std::string lower(std::string_view text) {
  std::string folded(text);
  std::ranges::transform(folded, folded.begin(), [](char c) { return lower(c); });
  return folded;
}

std::string_view trimmed(std::string_view text, std::string_view blanks) {
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

bool is_ascii(std::string_view text) { return std::ranges::none_of(text, is_eight_bit); }

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}

void append_json_string(std::string& out, std::string_view text, std::size_t limit) {
  out += '"';
  std::size_t i = 0;
  while (i < text.size()) {
    const std::size_t plain = plain_length(text.substr(i, limit - i));
    out.append(text.substr(i, plain));
    i += plain;
    if (i == text.size()) break;
    std::uint32_t code = 0;
    const std::size_t length = utf8_length(text.substr(i), code);
    if (i + std::max<std::size_t>(length, 1) > limit) {
      out += "…";
      break;
    }
    if (length == 0) {
      // An octet that is not UTF-8 is shown as the Latin-1 character of the same number.
      append_escape(out, static_cast<unsigned char>(text[i]));
      ++i;
      continue;
    }
    if (code == '"' || code == '\\') {
      out += '\\';
      out += static_cast<char>(code);
    } else if (must_escape(code)) {
      append_escape(out, code);
    } else {
      out.append(text.substr(i, length));
    }
    i += length;
  }
  out += '"';
}

void append_printable(std::string& out, std::string_view text, bool lines) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (std::size_t i = 0; i < text.size();) {
    std::uint32_t code = 0;
    const std::size_t length = utf8_length(text.substr(i), code);
    if (lines && text.substr(i, 2) == "\r\n") {
      out += '\n';
      i += 2;
      continue;
    }
    if (length > 0 && (!must_escape(code) || (lines && (code == '\n' || code == '\t')))) {
      out.append(text.substr(i, length));
    } else if (length < 2) {
      const auto octet = static_cast<unsigned char>(text[i]);
      out += "\\x";
      out += kHex[octet >> 4U];
      out += kHex[octet & 15U];
    } else {
      append_escape(out, code);
    }
    i += std::max<std::size_t>(length, 1);
  }
}

std::string printable(std::string_view text, bool lines) {
  std::string out;
  append_printable(out, text, lines);
  return out;
}

std::size_t incomplete_utf8(std::string_view text) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    const auto octet = static_cast<unsigned char>(text[text.size() - back]);
    if ((octet & 0xC0U) == 0x80U) continue;
    const std::size_t wanted = octet >= 0xF0 ? 4 : octet >= 0xE0 ? 3 : octet >= 0xC2 ? 2 : 1;
    return wanted > back ? back : 0;
  }
  return 0;
}

}  // namespace relay::base
