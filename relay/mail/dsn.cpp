#include "relay/mail/dsn.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "relay/mail/date.hpp"
#include "relay/mail/dsn_text.hpp"
#include "relay/mail/header.hpp"

namespace relay::mail {

namespace {

constexpr std::size_t kMaxReply = 900;  // octets of remote text shown

/// The recipient as the reader may know it: the alias, unless targets are shown.
std::string shown_recipient(const DsnRequest& request, const DsnRecipient& recipient) {
  return request.hide_targets ? recipient.original.to_string() : recipient.target.to_string();
}

/// Remote text without control octets and without the private target: neither the address nor its
/// local part nor its domain.
std::string shown_reply(const DsnRequest& request, const DsnRecipient& recipient) {
  std::string text = plain_line(recipient.attempt.text, kMaxReply);
  if (!request.hide_targets) return text;
  const std::string alias = seven_bit_address(recipient.original.to_string());
  text = masked(std::move(text), recipient.target.to_string(), alias);
  text = masked(std::move(text), recipient.target.domain().text(), "[hidden]");
  if (recipient.target.local_part().size() > 2) {
    text = masked(std::move(text), recipient.target.local_part(), "[hidden]");
  }
  return text;
}

EnhancedStatus shown_status(const DsnRequest& request, const DsnRecipient& recipient) {
  EnhancedStatus status = recipient.attempt.status;
  if (request.kind == DsnKind::Delayed) {
    if (status.klass != 4) status = {4, 4, 7};
  } else if (recipient.expired) {
    status = {5, 4, 7};  // delivery time expired (RFC 3463 §3.5)
  } else if (status.klass != 5) {
    status = {5, 0, 0};
  }
  return status;
}

std::string reason_line(const DsnRequest& request, const DsnRecipient& recipient) {
  const DeliveryAttempt& attempt = recipient.attempt;
  std::string reason;
  if (attempt.code != 0) {
    reason = fmt::format("the receiving server said: {} {}", attempt.code,
                         shown_reply(request, recipient));
  } else {
    reason = shown_reply(request, recipient);
  }
  if (recipient.expired) reason = "given up after too many attempts; last: " + reason;
  return reason.empty() ? "no reason is known" : reason;
}

std::string human_part(const DsnRequest& request) {
  const bool failed = request.kind == DsnKind::Failed;
  std::string text = fmt::format(
      "This is the mail system at {}.\r\n\r\n{}\r\n\r\n", request.reporting_host.text(),
      failed ? wrapped("Your message could not be delivered to the following address. It will not "
                       "be tried again.",
                       "")
             : wrapped("Your message has not been delivered yet to the following address. You need "
                       "not send it again: delivery will be tried further.",
                       ""));
  for (const DsnRecipient& recipient : request.recipients) {
    text += fmt::format("  <{}>\r\n    {}\r\n\r\n",
                        seven_bit_address(shown_recipient(request, recipient)),
                        wrapped(reason_line(request, recipient), "    "));
  }
  if (!failed && request.retry_until) {
    text += fmt::format("Attempts go on until {}.\r\n\r\n", header_date(*request.retry_until));
  }
  return text + fmt::format("For questions to the postmaster, name the message id {}.\r\n",
                            request.original_id.to_string());
}

std::string recipient_fields(const DsnRequest& request, const DsnRecipient& recipient) {
  const bool failed = request.kind == DsnKind::Failed;
  std::string fields = fmt::format(
      "\r\nOriginal-Recipient: {}\r\nFinal-Recipient: {}\r\nAction: {}\r\n"
      "Status: {}\r\n",
      typed_address(recipient.original.to_string()),
      typed_address(shown_recipient(request, recipient)), failed ? "failed" : "delayed",
      shown_status(request, recipient).to_string());
  const DeliveryAttempt& attempt = recipient.attempt;
  if (!attempt.host.empty() && !request.hide_targets) {
    fields += fmt::format("Remote-MTA: dns;{}\r\n", plain_line(attempt.host, 254));
  }
  if (attempt.code != 0) {
    fields += fmt::format("Diagnostic-Code: smtp;{} {}\r\n", attempt.code,
                          wrapped(shown_reply(request, recipient), "    "));
  }
  if (attempt.at != base::WallTime{}) {
    fields += fmt::format("Last-Attempt-Date: {}\r\n", header_date(attempt.at));
  }
  if (!failed && request.retry_until) {
    fields += fmt::format("Will-Retry-Until: {}\r\n", header_date(*request.retry_until));
  }
  return fields;
}

std::string status_part(const DsnRequest& request) {
  std::string text = fmt::format("Reporting-MTA: dns;{}\r\nArrival-Date: {}\r\n",
                                 request.reporting_host.text(), header_date(request.arrived_at));
  for (const DsnRecipient& recipient : request.recipients) {
    text += recipient_fields(request, recipient);
  }
  return text;
}

/// Whole fields of the original up to the cap, 7-bit, no line over 998 octets.
std::string returned_header(const DsnRequest& request) {
  std::string text;
  for (const HeaderField& field : readable_fields(request.original_header)) {
    if (text.size() + field.raw.size() > kMaxReturnedHeader) break;
    std::size_t column = 0;
    for (std::size_t i = 0; i < field.raw.size(); ++i) {
      const char c = field.raw[i];
      if (field.raw.substr(i, 2) == "\r\n") {
        text += "\r\n";
        column = 0;
        ++i;
        continue;
      }
      if (column == 990) {
        text += "\r\n ";
        column = 1;
      }
      text += (c >= ' ' && c <= '~') || c == '\t' ? c : '?';
      ++column;
    }
    if (!text.ends_with("\r\n")) text += "\r\n";  // the last field of a header without an end
  }
  return text;
}

}  // namespace

bool dsn_needs_smtputf8(const DsnRequest& request) { return request.addressee.is_utf8(); }

std::string build_dsn(const DsnRequest& request) {
  const bool failed = request.kind == DsnKind::Failed;
  const std::string host = request.reporting_host.text();
  // 80 random bits of the id: no content can have been made to contain it.
  const std::string boundary = fmt::format("=_{}", request.id.to_string());
  const std::string references = message_id_of(request.original_header);
  std::string dsn = fmt::format(
      "From: Mail Delivery System <MAILER-DAEMON@{}>\r\nTo: <{}>\r\nSubject: {}\r\nDate: {}\r\n"
      "Message-ID: <{}@{}>\r\n",
      host, request.addressee.to_string(),
      failed ? "Undelivered Mail Returned to Sender" : "Delayed Mail (still being retried)",
      header_date(request.now), request.id.to_string(), host);
  if (!references.empty()) {
    dsn += fmt::format("In-Reply-To: {0}\r\nReferences: {0}\r\n", references);
  }
  dsn += fmt::format(
      "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
      "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"{0}\"\r\n\r\n"
      "This is a report in MIME format.\r\n\r\n"
      "--{0}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n{1}\r\n"
      "--{0}\r\nContent-Type: message/delivery-status\r\n\r\n{2}\r\n"
      "--{0}\r\nContent-Type: text/rfc822-headers\r\n\r\n{3}\r\n"
      "--{0}--\r\n",
      boundary, human_part(request), status_part(request), returned_header(request));
  return dsn;
}

}  // namespace relay::mail
