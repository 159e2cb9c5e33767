#include "relay/mail/dsn_text.hpp"

#include "relay/base/text.hpp"

namespace relay::mail {

namespace {

constexpr std::size_t kLine = 76;
constexpr std::size_t kHardLimit = 900;  // a word without a space is cut here (RFC 5322 §2.1.1)

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
