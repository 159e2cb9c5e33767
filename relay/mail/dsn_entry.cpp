#include "relay/mail/dsn_entry.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "relay/mail/date.hpp"
#include "relay/mail/dsn_text.hpp"
#include "relay/mail/reply_text.hpp"
#include "relay/mail/target_mask.hpp"

namespace relay::mail {

namespace {

constexpr std::size_t kMaxReply = 4096;      // octets of one line of a reply, after masking
constexpr std::size_t kMaxHumanReply = 400;  // Diagnostic-Code has the whole reply
constexpr std::string_view kIndent = "    ";

/// A reply, or a reason of our own, in the form in which the DSN's reader may see it.
class ShownReply {
 public:
  ShownReply(const DsnRecipient& recipient, bool hide_targets)
      : attempt_(recipient.attempt), lines_(reply_lines(attempt_)) {
    const TargetMask mask(recipient.original, recipient.target, attempt_);
    for (const ReplyLine& line : lines_) {
      words_.push_back(
          plain_line(hide_targets ? mask.applied(line.words) : std::string(line.words), kMaxReply));
    }
  }

  /// On one line, with the codes of the first line only: "550 5.1.1 no such user".
  std::string human() const {
    std::string text;
    if (is_remote_reply(attempt_)) {
      text = fmt::format("the receiving server said: {}", attempt_.code);
      if (!lines_.empty() && !lines_.front().enhanced.empty()) {
        text += fmt::format(" {}", lines_.front().enhanced);
      }
    }
    std::string words;
    for (const std::string& line : words_) words += ' ' + line;
    if (is_remote_reply(attempt_) && words.size() > kMaxHumanReply) {
      words.resize(std::min(words.rfind(' ', kMaxHumanReply), kMaxHumanReply));
      words += "... (in full below)";
    }
    return text + words;
  }

  /// Line by line as received, with a hyphen after the code of each line but the last (RFC 3461
  /// §9.2).
  std::string diagnostic() const {
    std::string field;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      std::string line = fmt::format("{}{}", attempt_.code, i + 1 < lines_.size() ? '-' : ' ');
      if (!lines_[i].enhanced.empty()) line += fmt::format("{} ", lines_[i].enhanced);
      line += words_[i];
      field += field.empty()
                   ? wrapped("Diagnostic-Code: smtp; " + line, kIndent)
                   : fmt::format("\r\n{}{}", kIndent, wrapped(line, kIndent, kIndent.size()));
    }
    if (lines_.empty()) field = fmt::format("Diagnostic-Code: smtp; {}", attempt_.code);
    return field + "\r\n";
  }

 private:
  const DeliveryAttempt& attempt_;
  std::vector<ReplyLine> lines_;
  std::vector<std::string> words_;  ///< one for each line
};

EnhancedStatus shown_status(const DsnRecipient& recipient) {
  const EnhancedStatus status = recipient.attempt.status;
  if (recipient.kind == DsnKind::Delayed) {
    return status.klass == 4 ? status : EnhancedStatus{4, 4, 7};
  }
  // Delivery time expired (RFC 3463 §3.5).
  if (recipient.end == End::Expired) return {5, 4, 7};
  return status.klass == 5 ? status : EnhancedStatus{5, 0, 0};
}

std::string reason(const DsnRecipient& recipient, const ShownReply& reply) {
  const std::string last = reply.human();
  if (recipient.kind == DsnKind::Failed && recipient.end == End::Expired) {
    return "given up after too many attempts; last: " + (last.empty() ? "no reason known" : last);
  }
  if (recipient.kind == DsnKind::Failed && recipient.end == End::Returned) {
    return "returned by the postmaster of this mail system" +
           (last.empty() ? "" : "; last: " + last);
  }
  return last.empty() ? "no reason is known" : last;
}

std::string human_lines(const DsnRecipient& recipient, const ShownReply& reply, bool hide_targets) {
  const std::string alias = seven_bit_address(recipient.original.to_string());
  const std::string target = seven_bit_address(recipient.target.to_string());
  std::string lines = fmt::format("  <{}>\r\n", hide_targets ? alias : target);
  if (!hide_targets && target != alias) {
    lines += fmt::format("{}(expanded from <{}>)\r\n", kIndent, alias);
  }
  return lines + fmt::format("{}{}\r\n\r\n", kIndent,
                             wrapped(reason(recipient, reply), kIndent, kIndent.size()));
}

std::string field_lines(const DsnGroup& group, const ShownReply& reply, bool hide_targets) {
  const DsnRecipient& recipient = group.gravest;
  const std::string alias = recipient.original.to_string();
  const DeliveryAttempt& attempt = recipient.attempt;
  const bool failed = recipient.kind == DsnKind::Failed;
  std::string fields = fmt::format(
      "\r\nOriginal-Recipient: {}\r\nFinal-Recipient: {}\r\nAction: {}\r\nStatus: {}\r\n",
      typed_address(alias), typed_address(hide_targets ? alias : recipient.target.to_string()),
      failed ? "failed" : "delayed", shown_status(recipient).to_string());
  if (!attempt.host.empty() && !hide_targets) {
    fields += fmt::format("Remote-MTA: dns;{}\r\n", plain_line(attempt.host, 254));
  }
  if (is_remote_reply(attempt)) fields += reply.diagnostic();
  if (attempt.at != base::WallTime{}) {
    fields += fmt::format("Last-Attempt-Date: {}\r\n", header_date(attempt.at));
  }
  if (!failed && group.retry_until) {
    fields += fmt::format("Will-Retry-Until: {}\r\n", header_date(*group.retry_until));
  }
  // An extension field (RFC 3464 §2.4). It does not tell how many targets the alias has.
  if (recipient.one_of_several) fields += "X-Scope: one of several mailboxes\r\n";
  return fields;
}

}  // namespace

DsnEntry entry_of(const DsnGroup& group, const DsnRequest& request) {
  const DsnRecipient& recipient = group.gravest;
  const ShownReply reply(recipient, request.hide_targets);
  DsnEntry entry;
  if (recipient.kind == DsnKind::Failed) {
    entry.section = recipient.one_of_several ? DsnSection::FailedInPart : DsnSection::Failed;
  } else {
    entry.section = recipient.one_of_several ? DsnSection::DelayedInPart : DsnSection::Delayed;
    entry.retry_until = group.retry_until;
  }
  entry.human = human_lines(recipient, reply, request.hide_targets);
  entry.fields = field_lines(group, reply, request.hide_targets);
  entry.failed = group.failed;
  entry.delayed = group.delayed;
  return entry;
}

}  // namespace relay::mail
