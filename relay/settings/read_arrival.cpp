// [[listener]] and [[gateway]].
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "relay/base/text.hpp"
#include "relay/settings/findings.hpp"
#include "relay/settings/gateway.hpp"
#include "relay/settings/listener.hpp"
#include "relay/settings/problem_code.hpp"
#include "relay/settings/read_sections.hpp"
#include "relay/settings/verification.hpp"

namespace relay::settings {

using forward::LateRefusal;

namespace {

std::string folded(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  const auto domain = mail::Domain::parse(name);
  return domain ? domain->folded() : std::string();
}

void read_names(Section& section, Gateway& gateway) {
  std::vector<std::string> names;
  section.texts("names", names);
  for (std::size_t i = 0; i < names.size(); ++i) {
    gateway.names.push_back(folded(names[i]));
    if (!gateway.names.back().empty()) continue;
    section.findings().add(section.at("names", i), ProblemCode::Value,
                           fmt::format("gateway.names: not a host name: \"{}\"", names[i]), {},
                           names[i].size() + 2);
  }
}

void read_results(Section& section, const Auth& auth, Gateway& gateway) {
  section.text("results", gateway.results);
  if (!section.has("results")) return;
  gateway.results = base::lower(gateway.results);
  const bool is_token =
      !gateway.results.empty() && std::ranges::all_of(gateway.results, [](char c) {
        return c > ' ' && c <= '~' &&
               std::string_view("()<>@,;:\\\"/[]?=").find(c) == std::string_view::npos;
      });
  if (!is_token) {
    section.problem("results", ProblemCode::Value,
                    "the authserv-id in its Authentication-Results, as \"gw.example.org\"");
  } else if (gateway.results == auth.authserv_id) {
    section.problem("results", ProblemCode::Value,
                    "this is our own authserv-id: fields that bear it are removed");
  }
  if (!auth.verify) {
    section.problem("results", ProblemCode::Value, "needs [auth] verify: nothing is judged by it");
  }
}

void check_client(Section& section, const Gateway& gateway) {
  if (gateway.reads_received && gateway.names.empty() && !section.has("names")) {
    section.problem("names", ProblemCode::Missing,
                    "client = \"received\" needs the names that the gateway's hosts have in their "
                    "Received fields");
  }
}

/// Parses "192.0.2.1:25" or "[::1]:25".
std::expected<SocketAddress, std::string> parse_socket_address(std::string_view text,
                                                               std::uint16_t default_port) {
  SocketAddress address;
  address.port = default_port;
  const std::size_t colon = text.rfind(':');
  const bool bracketed = text.starts_with('[');
  const std::size_t close = text.find(']');
  std::string_view host = text;
  const bool has_port = colon != std::string_view::npos && (!bracketed || colon > close) &&
                        (bracketed || text.find(':') == colon);
  if (has_port) {
    if (!parse_port(text.substr(colon + 1), address.port)) {
      return std::unexpected("bad port in \"" + std::string(text) + '"');
    }
    host = text.substr(0, colon);
  }
  if (bracketed && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  address.host = std::string(host);
  if (!is_ip(address.host) || address.port == 0) {
    return std::unexpected("expected \"192.0.2.1:25\" or \"[2001:db8::1]:25\", not \"" +
                           std::string(text) + '"');
  }
  return address;
}

/// The keys of [[listener]] other than its addresses.
void read_listener_policy(Section& section, ListenerPolicy& policy) {
  read_networks(section, "proxy", policy.proxies);
  policy.proxies_at = section.place("proxy");
  section.boolean("require_tls", policy.require_tls);
  section.boolean("verify", policy.verify);
  section.size("max_size", policy.max_size);
  if (section.has("max_size") && policy.max_size == 0) {
    section.problem("max_size", ProblemCode::Value, "must be greater than zero");
  }
}

}  // namespace

void read_networks(Section& section, const char* key, base::Networks& into) {
  std::vector<std::string> texts;
  section.texts(key, texts);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto network = base::Network::parse(texts[i]);
    if (network) {
      into.push_back(std::move(*network));
    } else {
      section.findings().add(section.at(key, i), ProblemCode::Value,
                             section.path_of(key) + ": " + network.error(), {},
                             texts[i].size() + 2);
    }
  }
  if (texts.empty() && section.has(key)) {
    section.problem(key, ProblemCode::Value, "no network: leave the key out");
  }
}

void read_listeners(Section& root, std::vector<Listener>& listeners) {
  bool one_is_given = false;
  for (Section& section : root.tables("listener")) {
    Listener listener;
    std::vector<std::string> addresses;
    section.texts("address", addresses);
    if (section.has("address") && addresses.empty()) {
      section.problem("address", ProblemCode::Missing, "says where to listen, as \"0.0.0.0:25\"");
    }
    listener.at = section.place("address");
    const bool is_second = !section.has("address") && std::exchange(one_is_given, true);
    if (is_second) {
      section.problem("address", ProblemCode::Missing,
                      "one [[listener]] without it stands for all sockets that systemd gives");
    }
    for (const std::string& text : addresses) {
      auto parsed = parse_socket_address(text, 0);
      if (parsed) {
        listener.addresses.push_back(std::move(*parsed));
      } else {
        section.problem("address", ProblemCode::Value, parsed.error());
      }
    }
    section.texts("public", listener.reached_as);
    for (const std::string& text : listener.reached_as) {
      if (is_ip(text)) continue;
      section.problem("public", ProblemCode::Value, "not an IP address: \"" + text + '"');
    }
    read_listener_policy(section, listener.policy);
    section.finish();
    listeners.push_back(std::move(listener));
  }
  if (listeners.empty()) {
    listeners.push_back({.addresses = {{"0.0.0.0", 25}, {"::", 25}}});
  }
}

void read_gateways(Section& root, const Auth& auth, std::vector<Gateway>& gateways) {
  for (Section& section : root.tables("gateway")) {
    Gateway gateway;
    read_networks(section, "from", gateway.from);
    if (!section.has("from")) {
      section.problem("from", ProblemCode::Missing,
                      "says which hosts are the gateway, as [\"192.0.2.0/28\"]");
    }
    section.choice("client", gateway.reads_received, {{"named", false}, {"received", true}});
    read_names(section, gateway);
    read_results(section, auth, gateway);
    section.choice("refusals", gateway.refusals,
                   {{"refuse", LateRefusal::Refuse},
                    {"hold", LateRefusal::Hold},
                    {"risk", LateRefusal::Risk}});
    check_client(section, gateway);
    gateway.at = section.place("from");
    section.finish();
    gateways.push_back(std::move(gateway));
  }
}

void check_listeners(Section& root, const std::vector<Listener>& listeners, bool has_tls) {
  std::size_t number = 0;
  for (Section& section : root.tables("listener")) {
    const ListenerPolicy& policy = listeners[number++].policy;
    if (policy.require_tls && !has_tls) {
      section.problem("require_tls", ProblemCode::Value, "needs [tls]");
    }
  }
}

}  // namespace relay::settings
