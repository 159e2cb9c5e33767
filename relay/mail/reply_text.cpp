#include "relay/mail/reply_text.hpp"

#include <algorithm>

#include "relay/base/text.hpp"

namespace relay::mail {

namespace {

std::string_view trimmed(std::string_view text) { return base::trimmed(text, " \t\r"); }

/// Splits the enhanced code off a line. Its class must agree with the reply code (RFC 2034 §4); if
/// it does not, the code is part of the words.
ReplyLine split(std::string_view line, int code) {
  const std::string_view text = trimmed(line);
  std::string_view rest;
  const auto status = EnhancedStatus::parse(text, &rest);
  if (!status || status->klass != code / 100) return {.enhanced = {}, .words = text};
  return {.enhanced = text.substr(0, text.find(' ')), .words = trimmed(rest)};
}

}  // namespace

bool is_remote_reply(const DeliveryAttempt& attempt) {
  return attempt.code != 0 && attempt.stage >= Stage::Banner;
}

std::vector<ReplyLine> reply_lines(const DeliveryAttempt& attempt) {
  std::vector<ReplyLine> lines;
  if (!is_remote_reply(attempt)) {
    const std::string_view reason = trimmed(attempt.text);
    if (!reason.empty()) lines.push_back({.enhanced = {}, .words = reason});
    return lines;
  }
  std::string_view text = attempt.text;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const ReplyLine line = split(text.substr(0, end), attempt.code);
    if (!line.enhanced.empty() || !line.words.empty()) lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string words_of(const DeliveryAttempt& attempt) {
  std::string words;
  for (const ReplyLine& line : reply_lines(attempt)) {
    if (!words.empty() && !line.words.empty()) words += ' ';
    words += line.words;
  }
  return words;
}

}  // namespace relay::mail
