#include "relay/forward/author_rewrite.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "relay/base/text.hpp"
#include "relay/mail/author.hpp"
#include "relay/mail/header.hpp"

namespace relay::forward {

namespace {

constexpr std::size_t kMaxNameOctets = 64;  // of the author's name, as shown
constexpr std::string_view kKept = "X-Original-From";

bool is_called(const mail::HeaderField& field, std::string_view name) {
  return base::equal_ignoring_case(field.name, name);
}

/// One word of a display name.
struct Word {
  std::string text;      ///< unquoted
  bool encoded = false;  ///< an RFC 2047 encoded word, which has a meaning only outside of quotes
};

/// Returns the position behind a comment (nested, RFC 5322 §3.2.2). Precondition: the comment ends.
std::size_t after_comment(std::string_view value, std::size_t at) {
  std::size_t depth = 0;
  for (; at < value.size(); ++at) {
    if (value[at] == '\\') {
      ++at;
    } else if (value[at] == '(') {
      ++depth;
    } else if (value[at] == ')' && --depth == 0) {
      return at + 1;
    }
  }
  return value.size();
}

std::size_t read_quoted(std::string_view value, std::size_t at, std::string& into) {
  for (++at; at < value.size() && value[at] != '"'; ++at) {
    if (value[at] == '\\' && at + 1 < value.size()) ++at;
    into += value[at];
  }
  return at + 1;
}

/// The words of the display name in front of "<", or the local part of an address without angle
/// brackets. Precondition: the value is one well-formed mailbox; nothing is validated here.
std::vector<Word> words_of(std::string_view value) {
  std::vector<Word> words;
  for (std::size_t at = 0; at < value.size() && value[at] != '<' && value[at] != '@';) {
    if (base::is_wsp(value[at])) {
      ++at;
    } else if (value[at] == '(') {
      at = after_comment(value, at);
    } else if (value[at] == '"') {
      Word word;
      at = read_quoted(value, at, word.text);
      words.push_back(std::move(word));
    } else {
      const std::size_t end = std::min(value.find_first_of(" \t(\"<@", at), value.size());
      Word word{.text = std::string(value.substr(at, end - at))};
      word.encoded = word.text.starts_with("=?") && word.text.ends_with("?=");
      words.push_back(std::move(word));
      at = end;
    }
  }
  return words;
}

/// The name as it may be shown. Only the part before an "@" stays, because a name that looks like
/// an address would be read as one. Control characters and angle brackets are removed. The result
/// is at most kMaxNameOctets long, never cut inside a UTF-8 sequence, and "" if it is not valid
/// UTF-8.
std::string shown(const std::string& name) {
  std::string out;
  for (const char c : name.substr(0, name.find('@'))) {
    if (base::is_control(c) || c == '<' || c == '>') continue;
    out += c;
  }
  if (out.size() > kMaxNameOctets) {
    std::size_t end = kMaxNameOctets;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0U) == 0x80U) --end;
    out.resize(end);
  }
  while (out.ends_with(' ')) out.pop_back();
  return mail::is_valid_utf8(out) ? out : std::string();
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

/// Encoded words stay outside of the quotes, one per line, since each can be up to 75 octets long.
std::string display_name(std::string_view value, const std::string& via) {
  const std::vector<Word> words = words_of(value);
  const bool encoded =
      !words.empty() && words.size() <= 8 && std::ranges::all_of(words, [](const Word& word) {
        return word.encoded && word.text.size() <= 75;
      });
  if (encoded) {
    std::string phrase;
    for (const Word& word : words) phrase += word.text + "\r\n ";
    return phrase + in_quotes("via " + via);
  }
  std::string name;
  for (const Word& word : words) {
    if (!word.encoded) name += (name.empty() ? "" : " ") + word.text;
  }
  name = shown(name);
  return in_quotes((name.empty() ? "" : name + ' ') + "via " + via);
}

/// The field under another name. If its first line would become too long (RFC 5322 §2.1.1), it is
/// folded before the value, provided that the value begins with white space, as nearly all do.
std::string renamed(const mail::HeaderField& field, std::string_view name) {
  constexpr std::size_t kMaxLine = 900;
  const bool folds = field.value.starts_with(' ') || field.value.starts_with('\t');
  const bool fits = std::min(field.value.find("\r\n"), field.value.size()) <= kMaxLine;
  return fmt::format("{}:{}{}{}", name, folds && !fits ? "\r\n" : "", field.value,
                     field.value.ends_with("\r\n") ? "" : "\r\n");
}

}  // namespace

std::optional<std::string> with_new_author(const mail::Header& header, const NewAuthor& author) {
  if (!mail::author_domain(header)) return std::nullopt;
  const bool answers_elsewhere = std::ranges::any_of(
      header.fields(), [](const mail::HeaderField& field) { return is_called(field, "Reply-To"); });
  std::string out;
  out.reserve(header.block().size() + 1024);
  for (const mail::HeaderField& field : header.fields()) {
    if (is_called(field, kKept)) continue;  // from elsewhere, not ours
    if (!is_called(field, "From")) {
      out += field.raw;
      continue;
    }
    out += fmt::format("From: {}\r\n <fwd-{}@{}>\r\n",
                       display_name(mail::unfolded(field.value), author.via), author.label,
                       author.domain.text());
    out += renamed(field, kKept);
    if (!answers_elsewhere) out += renamed(field, "Reply-To");
  }
  return out;
}

}  // namespace relay::forward
