#include "relay/mail/dsn.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "relay/mail/date.hpp"
#include "relay/mail/dsn_human.hpp"
#include "relay/mail/header.hpp"

namespace relay::mail {

namespace {

/// As many whole fields of the original as fit under the limit, in 7 bits, no line over 998 octets.
std::string returned_header(const Header& original) {
  std::string text;
  for (const HeaderField& field : original.fields()) {
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
    if (!text.ends_with("\r\n")) text += "\r\n";  // the header ended without CRLF
  }
  return text;
}

/// What all DSNs of one request have in common.
struct Frame {
  std::string references;  ///< the original's Message-ID, or ""
  std::string returned_header;
};

std::string_view subject(std::span<const DsnEntry> entries, const DsnRequest& request) {
  const bool failed = std::ranges::any_of(entries, [](const DsnEntry& entry) {
    return entry.section == DsnSection::Failed || entry.section == DsnSection::FailedInPart;
  });
  if (request.sender) {
    return failed ? "Undelivered Mail (notice to the postmaster)"
                  : "Delayed Mail (notice to the postmaster)";
  }
  return failed ? "Undelivered Mail Returned to Sender" : "Delayed Mail (still being retried)";
}

std::string header_of(MessageId id, std::span<const DsnEntry> entries, const DsnRequest& request,
                      const Frame& frame) {
  const std::string host = request.reporting_host.text();
  std::string header = fmt::format(
      "From: Mail Delivery System <MAILER-DAEMON@{}>\r\nTo: <{}>\r\nSubject: {}\r\nDate: {}\r\n"
      "Message-ID: <{}@{}>\r\n",
      host, request.addressee.to_string(), subject(entries, request), header_date(request.now),
      id.to_string(), host);
  if (!frame.references.empty()) {
    header += fmt::format("In-Reply-To: {0}\r\nReferences: {0}\r\n", frame.references);
  }
  return header;
}

std::string status_part(std::span<const DsnEntry> entries, const DsnRequest& request) {
  std::string text = fmt::format("Reporting-MTA: dns;{}\r\nArrival-Date: {}\r\n",
                                 request.reporting_host.text(), header_date(request.arrived_at));
  for (const DsnEntry& entry : entries) text += entry.fields;
  return text;
}

Dsn build(std::span<const DsnEntry> entries, const DsnRequest& request, const Frame& frame,
          std::size_t part, std::size_t parts) {
  Dsn dsn{.id = request.new_id(), .content = {}};
  // The id has 80 random bits: no content can have been made to contain the boundary.
  const std::string boundary = fmt::format("=_{}", dsn.id.to_string());
  dsn.content = header_of(dsn.id, entries, request, frame);
  dsn.content += fmt::format(
      "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
      "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"{0}\"\r\n\r\n"
      "This is a report in MIME format.\r\n\r\n"
      "--{0}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n{1}\r\n"
      "--{0}\r\nContent-Type: message/delivery-status\r\n\r\n{2}\r\n"
      "--{0}\r\nContent-Type: text/rfc822-headers\r\n\r\n{3}\r\n"
      "--{0}--\r\n",
      boundary, human_part(entries, request, part, parts), status_part(entries, request),
      frame.returned_header);
  for (const DsnEntry& entry : entries) {
    dsn.failed += entry.failed;
    dsn.delayed += entry.delayed;
  }
  return dsn;
}

/// One entry for each shown address, those of one section together.
std::vector<DsnEntry> entries_of(const DsnRequest& request) {
  std::array<std::vector<DsnEntry>, kDsnSections> by_section;
  for (const DsnGroup& group : grouped(request.recipients, request.hide_targets)) {
    DsnEntry entry = entry_of(group, request);
    by_section.at(static_cast<std::size_t>(entry.section)).push_back(std::move(entry));
  }
  std::vector<DsnEntry> entries;
  for (auto& section : by_section) std::ranges::move(section, std::back_inserter(entries));
  return entries;
}

/// Splits the entries among DSNs so that each has room for the text around the entries, too.
std::vector<std::span<const DsnEntry>> parts_of(std::span<const DsnEntry> entries,
                                                const Frame& frame) {
  const std::size_t room = kMaxDsnOctets - kMaxHumanFrame - frame.returned_header.size();
  std::vector<std::span<const DsnEntry>> parts;
  std::size_t length = 0;
  std::size_t octets = 0;
  for (const DsnEntry& entry : entries) {
    const std::size_t more = entry.human.size() + entry.fields.size();
    if (length > 0 && octets + more > room) {
      parts.push_back(entries.first(length));
      entries = entries.subspan(length);
      length = octets = 0;
    }
    ++length;
    octets += more;
  }
  parts.push_back(entries);
  return parts;
}

}  // namespace

bool dsn_needs_smtputf8(const DsnRequest& request) { return request.addressee.is_utf8(); }

std::vector<Dsn> build_dsns(const DsnRequest& request) {
  const std::vector<DsnEntry> entries = entries_of(request);
  const Header original(request.original_header);
  const Frame frame{.references = original.message_id(),
                    .returned_header = returned_header(original)};
  const auto parts = parts_of(entries, frame);
  std::vector<Dsn> dsns;
  for (const auto& part : parts) {
    dsns.push_back(build(part, request, frame, dsns.size() + 1, parts.size()));
  }
  return dsns;
}

}  // namespace relay::mail
