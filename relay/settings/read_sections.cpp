#include "relay/settings/read_sections.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include "relay/base/text.hpp"
#include "relay/forward/aliases.hpp"
#include "relay/forward/next_hop.hpp"
#include "relay/mail/retry_policy.hpp"
#include "relay/settings/files.hpp"
#include "relay/settings/findings.hpp"
#include "relay/settings/host.hpp"
#include "relay/settings/log.hpp"
#include "relay/settings/problem_code.hpp"
#include "relay/settings/queue.hpp"
#include "relay/settings/units.hpp"

namespace relay::settings {

using forward::Defaults;
using forward::NextHop;
using forward::RouteRule;
using forward::UnknownRecipient;

namespace {

/// Parses "smtp://host:port" or "smtp://[::1]:25"; the port is optional.
std::optional<NextHop> parse_via(std::string_view text) {
  if (!text.starts_with("smtp://")) return std::nullopt;
  text.remove_prefix(7);
  NextHop via;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    via.host = std::string(text.substr(1, close - 1));
    port = text.substr(close + 1);
    if (!is_ip(via.host)) return std::nullopt;
  } else {
    const std::size_t colon = text.find(':');
    via.host = base::lower(text.substr(0, colon));
    port = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
    if (!is_ip(via.host) && !mail::Domain::parse(via.host)) return std::nullopt;
  }
  if (!port.empty() && (port.front() != ':' || !parse_port(port.substr(1), via.port))) {
    return std::nullopt;
  }
  return via;
}

/// RFC 3986 §3.1, in lower case.
bool is_scheme(std::string_view text) {
  constexpr std::string_view kInside = "abcdefghijklmnopqrstuvwxyz0123456789+-.";
  return !text.empty() && base::is_alpha(text.front()) &&
         text.find_first_not_of(kInside) == std::string_view::npos;
}

/// A URL with a path, "scheme:path" or "scheme:///path", or one with a host, "scheme://host/path".
/// Which schemes there are is not known here, nor what a store with a host makes of the rest.
void read_store(Section& section, Queue& queue) {
  std::string url = queue.scheme + ':' + queue.path;
  section.text("store", url);
  const std::size_t colon = std::min(url.find(':'), url.size());
  const std::string scheme = base::lower(std::string_view(url).substr(0, colon));
  std::string rest = url.substr(std::min(colon + 1, url.size()));
  const bool has_host = rest.starts_with("//") && !rest.starts_with("///");
  if (rest.starts_with("//")) rest.erase(0, 2);
  if (!is_scheme(scheme) || rest.empty()) {
    section.problem("store", ProblemCode::Value,
                    "expected a URL such as \"sqlite:/path/to/queue.db\"");
    return;
  }
  queue.scheme = scheme;
  queue.store_at = section.place("store");
  if (has_host) {
    queue.server = std::move(rest);
  } else {
    queue.path = relative_to(rest, section.at("store").file);
  }
}

}  // namespace

bool parse_port(std::string_view text, std::uint16_t& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port != 0;
}

bool is_ip(const std::string& text) {
  boost::system::error_code error;
  boost::asio::ip::make_address(text, error);
  return !error && text.find('\0') == std::string::npos;  // the system's parser stops at a NUL
}

std::string read_match(Section& section) {
  std::string match;
  section.text("match", match);
  match = base::lower(match);
  const std::string_view name = match.starts_with("*.") ? std::string_view(match).substr(2) : match;
  if (match != "*" && !mail::Domain::parse(name)) {
    section.problem("match", ProblemCode::Value, "a domain, \"*.domain\" or \"*\"");
  }
  return match;
}

void read_dns(Section& root, Dns& dns) {
  auto section = root.table("dns");
  if (!section) return;
  section->texts("forward_to", dns.forward_to);
  section->text("trust_anchor", dns.trust_anchor);
  for (const std::string& server : dns.forward_to) {
    const std::size_t at = server.find('@');
    std::uint16_t port = 53;
    const bool good_port =
        at == std::string::npos || parse_port(std::string_view(server).substr(at + 1), port);
    if (!is_ip(server.substr(0, at)) || !good_port) {
      section->problem("forward_to", ProblemCode::Value,
                       "expected \"127.0.0.1\" or \"127.0.0.1@5353\", not \"" + server + '"');
    }
  }
  if (!dns.trust_anchor.empty()) {
    dns.trust_anchor = relative_to(dns.trust_anchor, section->at("trust_anchor").file);
    section->findings().name_file(dns.trust_anchor, section->at("trust_anchor"));
    if (auto read = read_file(dns.trust_anchor)) {
      dns.trust_anchor_hash = hash_of_records(*read);
    } else {
      section->problem("trust_anchor", read.error().code, read.error().text);
    }
  }
  section->finish();
}

void read_defaults(Section& root, Defaults& defaults) {
  auto section = root.table("defaults");
  if (!section) return;
  section->choice("unknown", defaults.unknown,
                  {{"reject", UnknownRecipient::Reject}, {"tempfail", UnknownRecipient::TempFail}});
  std::string tag(1, defaults.tag);
  section->text("tag", tag);
  if (tag.size() > 1) {
    section->problem("tag", ProblemCode::Value, "one character, or \"\" for no sub-addresses");
  } else {
    defaults.tag = tag.empty() ? '\0' : tag.front();
  }
  defaults.tag_at = section->place("tag");
  section->boolean("keep_tag", defaults.keep_tag);
  section->mailbox("postmaster", defaults.postmaster);
  defaults.postmaster_at = section->place("postmaster");
  if (defaults.postmaster) warn_of_target(*section, "postmaster", *defaults.postmaster);
  section->choice("mark_alias", defaults.mark_alias,
                  {{"X-Original-To", mail::AliasMark::OriginalTo},
                   {"Delivered-To", mail::AliasMark::DeliveredTo}});
  defaults.dmarc = read_dmarc(*section).over(defaults.dmarc);
  section->finish();
}

void read_routes(Section& root, std::vector<RouteRule>& routes) {
  for (Section& section : root.tables("route")) {
    RouteRule rule;
    rule.match = read_match(section);
    std::vector<std::string> texts;
    section.texts("via", texts);
    if (texts.empty()) {
      section.problem("via", ProblemCode::Missing, "says where to, as [\"smtp://host:25\"]");
    }
    mail::TlsLevel tls{};
    section.choice("tls", tls,
                   {{"auto", mail::TlsLevel::May},
                    {"require", mail::TlsLevel::Encrypt},
                    {"verify", mail::TlsLevel::Verify},
                    {"none", mail::TlsLevel::Never}});
    for (const std::string& text : texts) {
      if (auto hop = parse_via(text)) {
        if (section.has("tls")) hop->tls.level = tls;
        rule.hops.push_back(std::move(*hop));
      } else {
        section.problem("via", ProblemCode::Value,
                        "expected \"smtp://host:port\", not \"" + text + '"');
      }
    }
    section.finish();
    routes.push_back(std::move(rule));
  }
}

void read_outbound(Section& root, Outbound& outbound) {
  auto section = root.table("outbound");
  if (!section) return;
  section->texts("source", outbound.source);
  for (const std::string& source : outbound.source) {
    outbound.source_at.push_back(
        section->findings().place(section->at("source", outbound.source_at.size())));
    if (!is_ip(source)) {
      section->problem("source", ProblemCode::Value, "not an IP address: \"" + source + '"');
    }
  }
  section->boolean("allow_private", outbound.allow_private);
  section->number("port", outbound.port, 1, 65'535);
  section->text("ca_file", outbound.ca_file);
  if (!outbound.ca_file.empty()) {
    outbound.ca_file = relative_to(outbound.ca_file, section->at("ca_file").file);
    section->findings().name_file(outbound.ca_file, section->at("ca_file"));
    if (!std::ifstream(outbound.ca_file)) {
      section->problem("ca_file", ProblemCode::File,
                       fmt::format("cannot read {}: {}", outbound.ca_file, std::strerror(errno)));
    }
  }
  section->number("connections", outbound.connections, 1, 1000);
  section->number("max_connections", outbound.max_connections, 1, 100'000);
  section->duration("connect_timeout", outbound.connect_timeout);
  section->duration("attempt_timeout", outbound.attempt_timeout);
  section->finish();
}

void read_queue(Section& root, Queue& queue, mail::RetryPolicy& retry) {
  auto section = root.table("queue");
  if (!section) return;
  read_store(*section, queue);
  std::vector<std::string> schedule;
  section->texts("retry_schedule", schedule);
  if (section->has("retry_schedule")) {
    retry.schedule.clear();
    for (const std::string& text : schedule) {
      const auto wait = parse_duration(text);
      if (wait && *wait > seconds(0)) {
        retry.schedule.push_back(*wait);
      } else {
        section->problem("retry_schedule", ProblemCode::Value,
                         wait ? "waits must be greater than zero" : wait.error());
      }
    }
    if (schedule.empty()) {
      section->problem("retry_schedule", ProblemCode::Value, "needs at least one wait");
    }
  }
  section->duration("expire", retry.expire);
  section->duration("warn_after", retry.warn_after);
  section->size("min_free", queue.min_free);
  section->boolean("redact_target", queue.redact_target);
  section->finish();
}

void read_log(Section& root, bool has_srs, LogTarget& log) {
  auto section = root.table("log");
  if (!section) return;
  std::string format = "json";
  section->choice("format", format, {{"json", std::string("json")}});
  section->choice(
      "redact", log.redact,
      {{"none", LogRedact::None}, {"localpart", LogRedact::LocalPart}, {"hash", LogRedact::Hash}});
  if (log.redact == LogRedact::Hash && !has_srs) {
    section->problem("redact", ProblemCode::Value,
                     "\"hash\" needs [srs]: its first secret keys the digest");
  }
  section->text("file", log.file);
  if (!log.file.empty()) log.file = relative_to(log.file, section->at("file").file);
  section->finish();
}

void read_control(Section& root, Control& control) {
  auto section = root.table("control");
  if (!section) return;
  section->text("socket", control.socket);
  if (section->has("socket")) {
    control.socket = relative_to(control.socket, section->at("socket").file);
  }
  section->finish();
}

}  // namespace relay::settings
