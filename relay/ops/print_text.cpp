#include "relay/ops/print_text.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "relay/base/log.hpp"
#include "relay/base/text.hpp"
#include "relay/mail/outcome.hpp"
#include "relay/mail/reply_text.hpp"
#include "relay/ops/copy_name.hpp"
#include "relay/ops/relative_time.hpp"

namespace relay::ops {

namespace {

using mail::RecipientState;

constexpr std::size_t kLongestReply = 100;

std::string shortened(std::string text) {
  if (text.size() <= kLongestReply) return text;
  text.resize(kLongestReply);
  text.resize(text.size() - base::incomplete_utf8(text));
  return text + "…";
}

std::string sender_or_null(const std::string& sender) { return sender.empty() ? "<>" : sender; }

std::string_view state_text(const ports::QueueRow& row) {
  switch (row.state) {
    case RecipientState::Waiting:
      return row.attempts > 0 ? "deferred" : "waiting";
    case RecipientState::Held:
      return "held";
    case RecipientState::Delivered:
      return "delivered";
    case RecipientState::Failed:
      return "failed";
    case RecipientState::StandsBy:
      return "stands by";
  }
  return "waiting";
}

std::string_view end_text(mail::End end) {
  switch (end) {
    case mail::End::None:
    case mail::End::Delivered:
      return "";
    case mail::End::Refused:
      return ": refused for good";
    case mail::End::Expired:
      return ": expired";
    case mail::End::Dropped:
      return ": dropped by the operator";
    case mail::End::Returned:
      return ": bounced by the operator";
    case mail::End::Discarded:
      return ": dropped by its alias";
    case mail::End::Replaced:
      return ": replaced by the fallback of its alias";
  }
  return "";
}

std::string attempts_text(std::uint32_t attempts) {
  if (attempts == 0) return "not tried yet";
  return fmt::format("{} attempt{}", attempts, attempts == 1 ? "" : "s");
}

/// `between` is written between the lines of a reply.
std::string reply_text(const mail::DeliveryAttempt& attempt, std::string_view between) {
  std::string out;
  if (attempt.code != 0) out = fmt::format("{} {} ", attempt.code, attempt.status.to_string());
  bool is_first = true;
  for (const mail::ReplyLine& line : mail::reply_lines(attempt)) {
    if (!std::exchange(is_first, false)) out += between;
    base::append_printable(out, line.words);
  }
  return out;
}

std::string attempt_text(const mail::DeliveryAttempt& attempt) {
  std::string line = fmt::format("{}  {}", base::rfc3339(attempt.at), mail::name(attempt.stage));
  if (!attempt.host.empty()) {
    line += fmt::format("  {} [{}]:{}  {}", attempt.host, attempt.address, attempt.port,
                        attempt.tls.empty() ? "in the clear" : attempt.tls);
  }
  if (attempt.tls_result != mail::TlsResult::None) {
    line += fmt::format("  ({})", mail::name(attempt.tls_result));
  }
  return base::printable(line) + "\n      " + reply_text(attempt, "\n      ") + '\n';
}

/// Why and how the copy is forwarded as it is.
std::string how_text(const mail::Handling& handling) {
  return fmt::format("{}{}({}{}, {} pool)", handling.reason, handling.reason.empty() ? "" : "  ",
                     handling.seal ? "sealed" : "not sealed",
                     handling.new_author ? ", new author" : "",
                     handling.risk_pool ? "risk" : "ordinary");
}

std::string row_text(const ports::QueueRow& row, base::WallTime now) {
  const bool waits = row.state == RecipientState::Waiting;
  std::string path = base::printable(
      fmt::format("{} -> {} -> {}", sender_or_null(row.mail_from), row.alias, row.target));
  if (row.last.at != base::WallTime{}) {
    path += fmt::format("  ({})", shortened(reply_text(row.last, " ")));
  }
  return fmt::format("{}  {:>5}  {:<8}  {:>5}  {:<8}  {}\n", row.copy.message.to_string(),
                     span_text(now - row.received_at), state_text(row), row.attempts,
                     waits ? until(now, row.next_due) : "-", path);
}

std::string message_text(const ports::QueueRow& row, base::WallTime now) {
  std::string client = row.client;
  if (!row.helo.empty()) client += " (" + row.helo + ')';
  if (!row.tls.empty()) client += ' ' + row.tls;
  std::string out = base::printable(
      fmt::format("{}  from {}  received {} ({})  {} octets  client {}",
                  row.copy.message.to_string(), sender_or_null(row.mail_from),
                  base::rfc3339(row.received_at), ago(now, row.received_at, 2), row.size, client));
  out += '\n';
  if (!row.message_id.empty()) out += "  Message-ID <" + base::printable(row.message_id) + ">\n";
  return out;
}

/// The state of the copy; the caller adds what comes next.
std::string copy_text(const ports::QueueRow& row, base::WallTime now) {
  std::string out = base::printable(fmt::format("  copy {}   {} -> {}   {}{}, {}", row.copy.index,
                                                row.alias, row.target, state_text(row),
                                                end_text(row.end), attempts_text(row.attempts)));
  out += "\n    sender " + base::printable(sender_or_null(row.sender));
  out += "\n    how    " + base::printable(how_text(row.handling)) + '\n';
  if (row.last.at != base::WallTime{}) {
    out += fmt::format("    last   {}: {}", ago(now, row.last.at, 2), attempt_text(row.last));
  }
  if (row.state == RecipientState::Waiting) {
    out += fmt::format("    next   {} ({})\n", until(now, row.next_due, 2),
                       base::rfc3339(row.next_due));
  }
  if (row.state == RecipientState::Held) {
    if (!row.awaits.empty()) {
      out += fmt::format("    note   waits until the target is confirmed: {}\n",
                         base::printable(row.awaits));
    }
    out +=
        "    note   held, never expires: `queue release` lets it go, `queue bounce` and `queue "
        "drop` end it\n";
  }
  if (row.state == RecipientState::StandsBy) {
    out +=
        "    note   the fallback of its alias: leaves when all others fail, or none is delivered "
        "in time\n";
  }
  if (row.possible_duplicate) {
    out += "    note   an earlier attempt may have delivered this copy\n";
  }
  return out;
}

std::string waiting_text(const ports::Waiting& waits) {
  switch (waits.what) {
    case ports::Waiting::For::Rate:
      return fmt::format("for the risk pool: {} copies in {} s to this destination, {} before it",
                         waits.copies, waits.span.count(), waits.copies_before);
    case ports::Waiting::For::Pause:
      return fmt::format("paused by the operator: {}", waits.text);
    case ports::Waiting::For::Outage:
      return fmt::format("nothing answered lately: {}", waits.text);
    case ports::Waiting::For::Connection:
      return fmt::format("for a connection to this destination, {} before it", waits.copies_before);
  }
  return "";
}

/// What happens when the copy expires.
std::string_view sequel(const WhyView& view, const ports::QueueRow& row) {
  const bool has_fallback = std::ranges::any_of(view.copies, [&](const CopyOutlook& other) {
    return other.row.state == RecipientState::StandsBy && other.row.alias == row.alias;
  });
  if (has_fallback) return "the fallback of its alias, if no other copy is left";
  return row.mail_from.empty() ? "nobody is told: its sender is the null sender"
                               : "a DSN to the sender";
}

std::string outlook_text(const WhyView& view, const CopyOutlook& copy) {
  const base::WallTime now = view.now;
  std::string out = copy_text(copy.row, now);
  if (copy.waits_for) out += "    waits  " + base::printable(waiting_text(*copy.waits_for)) + '\n';
  if (copy.expires) {
    const std::string when = *copy.expires <= now ? "expires with its next attempt"
                                                  : "expires " + until(now, *copy.expires, 2);
    out += fmt::format("    end    {} ({}), then {}\n", when, base::rfc3339(*copy.expires),
                       sequel(view, copy.row));
  }
  return out;
}

}  // namespace

std::string list_heading() {
  return fmt::format("{:<26}  {:>5}  {:<8}  {:>5}  {:<8}  {}\n", "ID", "AGE", "STATE", "TRIES",
                     "NEXT", "FROM -> ALIAS -> TARGET  (LAST REPLY)");
}

std::string text_lines(const ListPage& page) {
  std::string out;
  for (const auto& row : page.rows) out += row_text(row, page.now);
  return out;
}

std::string text_lines(const MessageView& view) {
  std::string out = message_text(view.copies.front(), view.now);
  for (const auto& row : view.copies) out += copy_text(row, view.now);
  if (view.header.empty()) return out;
  out += '\n' + printable_lines(view.header);
  if (view.header_cut) out += "\n… the header is longer; --content shows everything\n";
  return out;
}

std::string text_lines(const WhyView& view) {
  std::string out = message_text(view.copies.front().row, view.now);
  for (const auto& copy : view.copies) out += outlook_text(view, copy);
  if (!view.history.empty()) out += "  history\n";
  for (const auto& row : view.history) {
    out += fmt::format("    copy {}  {}", row.index, attempt_text(row.attempt));
  }
  return out;
}

std::string text_more(const mail::CopyId& next) {
  return fmt::format("more: --after {}\n", copy_name(next));
}

std::string printable_lines(std::string_view text) {
  std::string out;
  base::append_printable(out, text, true);
  return out;
}

std::string ContentPieces::take(std::string piece) {
  std::string all = std::move(kept_) + std::move(piece);
  std::size_t cut = base::incomplete_utf8(all);
  if (all.ends_with('\r')) cut = 1;
  kept_ = all.substr(all.size() - cut);
  all.resize(all.size() - cut);
  return all;
}

}  // namespace relay::ops
