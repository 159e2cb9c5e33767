// The policy of a [[listener]], and [[gateway]].
#include <algorithm>

#include <fmt/format.h>

#include "relay/base/text.hpp"
#include "relay/settings/read_sections.hpp"

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

void read_results(Section& section, const Settings& settings, Gateway& gateway) {
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
  } else if (gateway.results == settings.auth.authserv_id) {
    section.problem("results", ProblemCode::Value,
                    "this is our own authserv-id: fields that bear it are removed");
  }
  if (!settings.auth.verify) {
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

void read_gateways(Section& root, Settings& settings) {
  for (Section& section : root.tables("gateway")) {
    Gateway gateway;
    read_networks(section, "from", gateway.from);
    if (!section.has("from")) {
      section.problem("from", ProblemCode::Missing,
                      "says which hosts are the gateway, as [\"192.0.2.0/28\"]");
    }
    section.choice("client", gateway.reads_received, {{"named", false}, {"received", true}});
    read_names(section, gateway);
    read_results(section, settings, gateway);
    section.choice("refusals", gateway.refusals,
                   {{"refuse", LateRefusal::Refuse},
                    {"hold", LateRefusal::Hold},
                    {"risk", LateRefusal::Risk}});
    check_client(section, gateway);
    gateway.at = section.place("from");
    section.finish();
    settings.gateways.push_back(std::move(gateway));
  }
}

void check_listeners(Section& root, const Settings& settings) {
  std::size_t number = 0;
  for (Section& section : root.tables("listener")) {
    const ListenerPolicy& policy = settings.listeners[number++].policy;
    if (policy.require_tls && !settings.tls) {
      section.problem("require_tls", ProblemCode::Value, "needs [tls]");
    }
  }
}

}  // namespace relay::settings
