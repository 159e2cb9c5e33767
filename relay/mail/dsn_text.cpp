#include "relay/mail/dsn_text.hpp"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

#include "relay/base/text.hpp"

namespace relay::mail {

namespace {

constexpr std::size_t kMaxAddress = 254;
constexpr std::size_t kLine = 76;
constexpr std::size_t kHardLimit = 900;  // a word without a space is cut here (RFC 5322 §2.1.1)

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// The code point that begins at `at`, which moves behind it. The text is valid UTF-8.
char32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto first = static_cast<unsigned char>(text[at++]);
  if (first < 0x80) return first;
  char32_t point = first < 0xE0 ? first & 0x1FU : first < 0xF0 ? first & 0x0FU : first & 0x07U;
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80) {
    point = point << 6U | (static_cast<unsigned char>(text[at++]) & 0x3FU);
  }
  return point;
}

}  // namespace

std::string plain_line(std::string_view text, std::size_t limit) {
  std::string line;
  for (const char c : text) {
    if (line.size() >= limit) return line + "...";
    if (c == '\r') continue;
    if (c == '\n' || c == '\t') {
      line += ' ';
    } else {
      line += c >= ' ' && c <= '~' ? c : '?';
    }
  }
  return line;
}

std::string seven_bit_address(std::string_view address) {
  if (is_ascii(address)) return plain_line(address, kMaxAddress);
  std::string text;
  for (std::size_t at = 0; at < address.size() && text.size() < kMaxAddress;) {
    const char32_t point = next_code_point(address, at);
    const bool plain = point > ' ' && point <= '~' && point != '+' && point != '=' && point != '\\';
    if (plain) {
      text += static_cast<char>(point);
    } else {
      text += fmt::format("\\x{{{:02X}}}", static_cast<std::uint32_t>(point));
    }
  }
  return text;
}

std::string typed_address(std::string_view address) {
  return (is_ascii(address) ? "rfc822;" : "utf-8;") + seven_bit_address(address);
}

std::string masked(std::string text, std::string_view secret, std::string_view shown) {
  if (secret.empty()) return text;
  const std::string folded_secret = base::lower(secret);
  std::string folded = base::lower(text);
  for (std::size_t at = folded.find(folded_secret); at != std::string::npos;
       at = folded.find(folded_secret, at + shown.size())) {
    text.replace(at, secret.size(), shown);
    folded.replace(at, secret.size(), shown);
  }
  return text;
}

std::string wrapped(std::string_view text, std::string_view indent) {
  std::string out;
  std::size_t column = 0;
  while (!text.empty()) {
    std::size_t space = text.find(' ');
    if (space == std::string_view::npos) space = text.size();
    std::string_view word = text.substr(0, std::min(space, kHardLimit));
    if (column > 0 && column + 1 + word.size() > kLine) {
      out += "\r\n";
      out += indent;
      column = indent.size();
    } else if (column > 0) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    text.remove_prefix(std::min(word.size() + (word.size() == space ? 1 : 0), text.size()));
  }
  return out;
}

}  // namespace relay::mail
