#include "relay/smtp/reply.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace relay::smtp {

namespace {

// 512 octets (RFC 5321 §4.5.3.1.5), less the codes in front and the CRLF behind.
constexpr std::size_t kMaxTextOctets = 512 - 18;

std::string reply_octets(std::string_view text) {
  std::string out(text.substr(0, kMaxTextOctets));
  std::ranges::replace_if(out, [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

}  // namespace

Reply::Reply(int code, mail::EnhancedStatus status, std::string_view text)
    : code_(code), status_(status), lines_{reply_octets(text)} {}

Reply Reply::plain(int code, std::string_view text) { return multiline(code, {std::string(text)}); }

Reply Reply::multiline(int code, const std::vector<std::string>& lines) {
  Reply reply(code);
  for (const std::string& line : lines) reply.lines_.push_back(reply_octets(line));
  return reply;
}

void Reply::append_to(std::string& wire) const {
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    wire += fmt::format_int(code_).c_str();
    wire += i + 1 < lines_.size() ? '-' : ' ';
    if (status_.klass != 0) {
      wire += status_.to_string();
      wire += ' ';
    }
    wire += lines_[i];
    wire += "\r\n";
  }
}

std::string Reply::wire() const {
  std::string out;
  append_to(out);
  return out;
}

EndOfDataReply EndOfDataReply::accepted(AcceptedKey, std::string_view id) {
  return EndOfDataReply(Reply(250, {2, 0, 0}, fmt::format("queued as {}", id)));
}

EndOfDataReply EndOfDataReply::refused(const Reply& reply) {
  if (reply.code() >= 400 && reply.code() <= 599) return EndOfDataReply(reply);
  return EndOfDataReply(Reply(451, {4, 3, 0}, "Local error, try again later"));
}

}  // namespace relay::smtp
