#include "relay/forward/trace_header.hpp"

#include <fmt/format.h>

#include "relay/mail/date.hpp"

namespace relay::forward {

namespace {

constexpr std::size_t kMaxHelo = 255;

/// HELO is what the client made up: nothing but visible ASCII, no comment delimiters.
std::string printable(std::string_view helo) {
  std::string out;
  for (const char c : helo.substr(0, kMaxHelo)) {
    const bool plain = c > ' ' && c <= '~' && c != '(' && c != ')' && c != '\\' && c != ';';
    out += plain ? c : '?';
  }
  return out.empty() ? "unknown" : out;
}

std::string protocol(const mail::Client& client, bool smtputf8) {
  std::string name = smtputf8 ? "UTF8SMTP" : client.esmtp ? "ESMTP" : "SMTP";
  // RFC 3848 knows the S of TLS for ESMTP only.
  if (!client.tls_version.empty() && name != "SMTP") name += 'S';
  return name;
}

}  // namespace

std::string received_field(const mail::Client& client, const std::string& hostname,
                           const mail::MessageId& id, bool smtputf8, base::WallTime now) {
  const bool v6 = client.address.find(':') != std::string::npos;
  std::string tls;
  if (!client.tls_version.empty()) {
    tls = fmt::format("\r\n\t(using {} with cipher {})", client.tls_version, client.tls_cipher);
  }
  return fmt::format(
      "Received: from {} ([{}{}]){}\r\n\tby {} (srs-relay) with {} id {};\r\n\t{}\r\n",
      printable(client.helo), v6 ? "IPv6:" : "", client.address, tls, hostname,
      protocol(client, smtputf8), id.to_string(), mail::header_date(now));
}

}  // namespace relay::forward
