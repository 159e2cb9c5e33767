#include "relay/forward/trace_header.hpp"

#include <fmt/format.h>

#include "relay/base/text.hpp"
#include "relay/mail/address.hpp"
#include "relay/mail/date.hpp"

namespace relay::forward {

namespace {

constexpr std::size_t kMaxHelo = 255;

/// The HELO as it can be shown. The client chose it freely: if it is neither a name nor an address
/// literal, only atom characters (RFC 5322 §3.2.3), dots and colons are kept. No quote, bracket or
/// parenthesis stays that could make a reader take part of it for the client's address.
std::string shown_helo(std::string_view helo) {
  if (const auto domain = mail::Domain::parse(helo)) return domain->text();
  constexpr std::string_view kPlain = "!#$%&'*+-/=?^_`{|}~.:";
  std::string out;
  for (const char c : helo.substr(0, kMaxHelo)) {
    const bool plain =
        base::is_alpha(c) || base::is_digit(c) || kPlain.find(c) != std::string_view::npos;
    out += plain ? c : '?';
  }
  return out.empty() ? "unknown" : out;
}

std::string protocol(const mail::Client& client, bool smtputf8) {
  std::string name = smtputf8 ? "UTF8SMTP" : client.esmtp ? "ESMTP" : "SMTP";
  // RFC 3848 has a form with S for TLS only for ESMTP, not for SMTP.
  if (!client.tls_version.empty() && name != "SMTP") name += 'S';
  return name;
}

/// The "for" clause on a line of its own, however long; "" when no recipient is to be named.
std::string for_clause(const mail::ForwardPath* only) {
  if (only == nullptr || only->is_bare_postmaster() || only->mailbox().is_utf8()) return {};
  return "\r\n\tfor <" + only->to_string() + '>';
}

}  // namespace

std::string received_field(const mail::Client& client, const std::string& hostname,
                           const mail::MessageId& id, bool smtputf8, const mail::ForwardPath* only,
                           base::WallTime now) {
  const bool v6 = client.address.find(':') != std::string::npos;
  std::string tls;
  if (!client.tls_version.empty()) {
    tls = fmt::format("\r\n\t(using {} with cipher {})", client.tls_version, client.tls_cipher);
  }
  return fmt::format(
      "Received: from {} ([{}{}]){}\r\n\tby {} (srs-relay) with {} id {}{};\r\n\t{}\r\n",
      shown_helo(client.helo), v6 ? "IPv6:" : "", client.address, tls, hostname,
      protocol(client, smtputf8), id.to_string(), for_clause(only), mail::header_date(now));
}

}  // namespace relay::forward
