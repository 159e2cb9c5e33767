// Checks of load balancers and gateways: who may speak for other clients.
#include <algorithm>

#include <fmt/format.h>

#include "relay/review/review.hpp"
#include "relay/settings/settings.hpp"

namespace relay::review {

namespace {

void doubt_everything(const base::Networks& networks, const base::SourcePlace& at,
                      const std::string& key, const std::string& consequence, Doubts& doubts) {
  for (const base::Network& network : networks) {
    if (!network.is_everything()) continue;
    doubts.add(at, fmt::format("{}: {} is everybody: {}", key, network.text(), consequence),
               "name the hosts that are meant");
  }
}

}  // namespace

void named_clients(const Subject& subject, Doubts& doubts) {
  const settings::Settings& settings = subject.settings;
  for (const settings::Listener& listener : settings.listeners) {
    doubt_everything(listener.policy.proxies, listener.policy.proxies_at, "listener.proxy",
                     "every host that connects may claim to be another", doubts);
  }
  doubt_everything(settings.limits.exempt, settings.limits.exempt_at, "limits.exempt",
                   "nothing is limited", doubts);
  for (const settings::Gateway& gateway : settings.gateways) {
    doubt_everything(gateway.from, gateway.at, "gateway.from",
                     "every host that connects may claim to be another, and is not counted",
                     doubts);
    if (!gateway.results.empty() && gateway.names.empty()) {
      doubts.add(
          gateway.at,
          fmt::format("gateway.names is missing: results of {} are believed above the second "
                      "Received field only",
                      gateway.results),
          "names = what its hosts call themselves behind \"by\" in Received");
    }
    if (gateway.refusals != forward::LateRefusal::Refuse && !settings.auth.verify) {
      doubts.add(gateway.at,
                 "gateway.refusals: [auth] verify is off, nobody is refused for what he claims",
                 "");
    }
  }
}

}  // namespace relay::review
