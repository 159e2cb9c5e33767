#include "relay/smtp/reply_parser.hpp"

#include <algorithm>
#include <utility>

#include "relay/base/text.hpp"

namespace relay::smtp {

namespace {

constexpr std::size_t kCodeDigits = 3;

/// The code in front of a line: three digits, then space, hyphen or nothing. A line that consists
/// of the code alone is accepted (RFC 5321 §4.2.1 asks for that); "2500" is not a code.
std::optional<int> code_of(std::string_view line) {
  if (line.size() < kCodeDigits) return std::nullopt;
  if (!std::ranges::all_of(line.substr(0, kCodeDigits), base::is_digit)) return std::nullopt;
  if (line.size() > kCodeDigits && line[kCodeDigits] != ' ' && line[kCodeDigits] != '-') {
    return std::nullopt;
  }
  return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

/// An enhanced code counts only when its class agrees with the reply code (RFC 2034 §4).
std::optional<mail::EnhancedStatus> status_of(int code, std::string_view line) {
  const auto status = mail::EnhancedStatus::parse(line);
  if (!status || status->klass != code / 100) return std::nullopt;
  return status;
}

}  // namespace

std::string_view describe(ReplyError error) {
  switch (error) {
    case ReplyError::LineTooLong:
      return "reply line too long";
    case ReplyError::TooManyLines:
      return "reply of too many lines";
    case ReplyError::TooLarge:
      return "reply too large";
    case ReplyError::Malformed:
      return "malformed reply";
    case ReplyError::CodeRange:
      return "reply code out of range";
    case ReplyError::MixedCodes:
      return "reply with differing codes";
  }
  return "bad reply";
}

std::string RemoteReply::text() const {
  std::string joined;
  for (const std::string& line : lines) {
    if (!joined.empty()) joined += '\n';
    joined += line;
    if (joined.size() >= kMaxReplyTextOctets) break;
  }
  if (joined.size() > kMaxReplyTextOctets) joined.resize(kMaxReplyTextOctets);
  return joined;
}

std::unexpected<ReplyError> ReplyParser::fail(ReplyError error) {
  error_ = error;
  return std::unexpected(error);
}

std::expected<bool, ReplyError> ReplyParser::take_line(std::string_view line) {
  const auto code = code_of(line);
  if (!code) return fail(ReplyError::Malformed);
  if (*code < 200 || *code > 599) return fail(ReplyError::CodeRange);
  if (!reply_) {
    reply_.emplace();
    reply_->code = *code;
  }
  if (reply_->code != *code) return fail(ReplyError::MixedCodes);
  if (reply_->lines.size() == kMaxReplyLines) return fail(ReplyError::TooManyLines);

  const bool more = line.size() > kCodeDigits && line[kCodeDigits] == '-';
  const std::string_view text = line.substr(std::min(line.size(), kCodeDigits + 1));
  if (reply_->lines.empty()) reply_->status = status_of(*code, text);
  reply_->lines.emplace_back(text);
  return !more;
}

std::expected<std::optional<RemoteReply>, ReplyError> ReplyParser::next() {
  if (error_) return std::unexpected(*error_);
  for (;;) {
    const auto end = pending_.find('\n', consumed_);
    const auto length = (end == std::string::npos ? pending_.size() : end + 1) - consumed_;
    if (length > kMaxReplyLineOctets) return fail(ReplyError::LineTooLong);
    if (octets_ + length > kMaxReplyOctets) return fail(ReplyError::TooLarge);
    if (end == std::string::npos) break;

    // Accepts a line that ends in LF alone: its meaning is not in doubt.
    std::string_view line(pending_.data() + consumed_, length - 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto last = take_line(line);
    if (!last) return std::unexpected(last.error());
    consumed_ += length;
    octets_ += length;
    if (*last) {
      octets_ = 0;
      return std::exchange(reply_, std::nullopt);
    }
  }
  pending_.erase(0, consumed_);
  consumed_ = 0;
  return std::nullopt;
}

}  // namespace relay::smtp
