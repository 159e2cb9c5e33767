#include "relay/mail/dsn_text.hpp"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

#include "relay/base/text.hpp"

namespace relay::mail {

namespace {

// An encoded address is cut beyond this length, so that its line may be sent (RFC 5322 §2.1.1).
// Letters beyond ASCII, encoded as in RFC 6533, always fit; many "+" or "=" beside them may not.
constexpr std::size_t kMaxAddress = 900;
constexpr std::size_t kLine = 76;
constexpr std::size_t kHardLimit = 900;  // a word without a space is cut here (RFC 5322 §2.1.1)

/// The code point at `at`, which moves behind it. Precondition: the text is valid UTF-8.
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
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (line.size() >= limit) return line + "...";
    if (text.substr(i, 2) == "\r\n") continue;
    if (c == '\n' || c == '\t') {
      line += ' ';
    } else {
      line += c >= ' ' && c <= '~' ? c : '?';
    }
  }
  return line;
}

std::string seven_bit_address(std::string_view address) {
  if (base::is_ascii(address)) return plain_line(address, kMaxAddress);
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
  return (base::is_ascii(address) ? "rfc822;" : "utf-8;") + seven_bit_address(address);
}

std::string wrapped(std::string_view text, std::string_view indent, std::size_t column) {
  std::string out;
  bool first = true;  // the next word is the first of its line
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, std::min(space, kHardLimit));
    text.remove_prefix(std::min(word.size() + (word.size() == space ? 1 : 0), text.size()));
    if (word.empty()) continue;
    if (!first && column + 1 + word.size() > kLine) {
      out += "\r\n";
      out += indent;
      column = indent.size();
    } else if (!first) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    first = false;
  }
  return out;
}

}  // namespace relay::mail
