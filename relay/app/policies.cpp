#include "relay/app/policies.hpp"

#include <utility>

#include <boost/asio/ip/address.hpp>

#include "relay/app/egress.hpp"
#include "relay/app/endpoints.hpp"
#include "relay/app/local_addresses.hpp"
#include "relay/app/self_check.hpp"
#include "relay/app/wall_now.hpp"
#include "relay/auth/signing_policy.hpp"
#include "relay/settings/problem.hpp"
#include "relay/settings/problem_code.hpp"
#include "relay/settings/settings.hpp"

namespace relay::app {

namespace {

inbound::Limits inbound_limits(const smtp::ServerLimits& set,
                               const forward::BounceLimits& bounces) {
  inbound::Limits limits;
  static_cast<smtp::ServerLimits&>(limits) = set;
  limits.bounces = bounces;
  return limits;
}

std::shared_ptr<const inbound::DnsListPolicy> dns_list_policy(const settings::Settings& from) {
  using boost::asio::ip::address_v4;
  auto policy = std::make_shared<inbound::DnsListPolicy>();
  for (const settings::DnsList& list : from.dns_lists) {
    policy->lists.push_back(
        {.zone = list.zone, .allows = list.allows, .weight = list.weight, .answers = {}});
    for (const auto& [first, last] : list.answers) {
      policy->lists.back().answers.push_back({address_v4(first), address_v4(last)});
    }
  }
  policy->refuse_at = from.abuse.dns_list_refuse;
  policy->at = from.abuse.dns_list_at == settings::DnsListStage::Connect
                   ? inbound::DnsListStage::Connect
                   : inbound::DnsListStage::Recipient;
  return policy;
}

inbound::AbusePolicy abuse_policy(const settings::Settings& from) {
  inbound::AbusePolicy policy;
  policy.dns_lists = dns_list_policy(from);
  policy.greylist = {.enabled = from.greylist.enabled,
                     .rules = {.delay = from.greylist.delay,
                               .retry_window = from.greylist.retry_window,
                               .remember = from.greylist.remember,
                               .trusted_after = from.greylist.trusted_after},
                     .strangers = from.greylist.new_per_network};
  policy.rates = {.per_client = from.rates.per_client,
                  .per_network = from.rates.per_network,
                  .per_alias = from.rates.per_alias,
                  .per_sender_domain = from.rates.per_sender_domain,
                  .per_signature = from.rates.per_signature,
                  .per_target = from.rates.per_target,
                  .unknown = from.rates.unknown,
                  .tag = from.defaults.tag};
  policy.attempts = {.total = from.limits.rcpts,
                     .per_client = from.limits.rcpts_per_ip,
                     .per_network = from.limits.rcpts_per_network};
  return policy;
}

/// Null: incoming mail is not verified.
std::shared_ptr<const auth::CheckOptions> check_options(const settings::Settings& from) {
  if (!from.auth.verify) return nullptr;
  auto options = std::make_shared<auth::CheckOptions>();
  options->receiver = from.hostname;
  options->lookups.whole = from.auth.timeout;
  if (from.auth.organisation == settings::OrganisationRule::SuffixList) {
    options->suffixes = std::make_shared<const auth::OrganisationalDomain>();
  }
  options->egress = egress_addresses(from.outbound.source, from.risk.source, local_addresses());
  return options;
}

inbound::ArrivalPolicy arrival_policy(const settings::Settings& from) {
  inbound::ArrivalPolicy policy;
  for (const settings::Listener& listener : from.listeners) {
    policy.listeners.push_back({listener.policy, reached_endpoints_of(listener)});
  }
  for (const settings::Gateway& gateway : from.gateways) {
    policy.gateways.push_back({.from = gateway.from,
                               .reads_received = gateway.reads_received,
                               .names = gateway.names,
                               .results = gateway.results,
                               .refusals = gateway.refusals});
  }
  policy.exempt = from.limits.exempt;
  return policy;
}

std::shared_ptr<const inbound::Policy> inbound_policy(
    const settings::Settings& from, std::shared_ptr<const forward::Planner> planner) {
  auto policy = std::make_shared<inbound::Policy>();
  policy->hostname = from.hostname;
  policy->offer_starttls = from.tls.has_value();
  policy->limits = inbound_limits(from.limits, from.bounces);
  policy->abuse = abuse_policy(from);
  policy->arrival = arrival_policy(from);
  policy->check = check_options(from);
  // Without verification, forged results must not be passed on either (RFC 8601 §5).
  policy->authserv_id = from.auth.authserv_id;
  policy->signature_lifetime = auth::signature_lifetime(from.retry.expire);
  policy->planner = std::move(planner);
  policy->loop_guard = forward::LoopGuard(from.hostname, from.limits.max_hops);
  policy->max_awaiting = from.consent.max_held;
  policy->notices_to_anyone = from.notices.to == mail::NoticesTo::Anyone;
  if (!from.consent.contact.empty()) {
    policy->contact_field = "X-Report-Abuse-To: " + from.consent.contact + "\r\n";
  }
  return policy;
}

/// Where others reach each listener: at its own address, at every address of this host if it
/// listens on all, and at those that the configuration gives for an address translator in front.
void set_own_endpoints(delivery::Policy& policy, const settings::Settings& from) {
  auto& own = policy.own_endpoints;
  const auto local = local_addresses();
  for (const auto& listener : from.listeners) {
    for (const ports::Endpoint& endpoint : reached_endpoints_of(listener)) {
      own.push_back(endpoint);
      for (const auto& address : local) {
        const bool reached =
            endpoint.address.is_unspecified() && address.is_v4() == endpoint.address.is_v4();
        if (reached) own.push_back({address, endpoint.port});
      }
      for (const std::string& address : listener.reached_as) {
        own.push_back({boost::asio::ip::make_address(address), endpoint.port});
      }
    }
  }
}

void set_sources(auto& into, const std::vector<std::string>& texts) {
  const SourceAddresses sources = sources_of(texts);
  into.source_v4 = sources.v4;
  into.source_v6 = sources.v6;
}

std::shared_ptr<const Redaction> redaction(const settings::Settings& settings,
                                           std::shared_ptr<const forward::Planner> planner) {
  return std::make_shared<const Redaction>(
      settings.log.redact, [planner = std::move(planner)](const std::string& address) {
        const auto read = srs::parse_address(address);
        return planner->directory().senders().rewriter()->digest(read ? *read
                                                                      : srs::Address{address, ""});
      });
}

/// The targets of an address of ours, so that a DSN to it goes there directly.
std::vector<mail::Mailbox> targets_of(const forward::Planner& planner,
                                      const mail::Mailbox& address) {
  if (!planner.directory().is_ours(address.domain())) return {};
  auto resolution = planner.directory().resolve(mail::ForwardPath(address), wall_now());
  auto* found = std::get_if<forward::ResolvedRecipient>(&resolution);
  if (!found) return {};
  // Our own notices must not bypass a missing consent.
  std::erase_if(found->targets, [&](const mail::Mailbox& target) {
    return !planner.directory().awaited(target).empty();
  });
  return std::move(found->targets);
}

std::shared_ptr<const delivery::Policy> delivery_policy(
    const settings::Settings& from, std::shared_ptr<const forward::Planner> planner) {
  // The loader has checked the host name.
  auto policy = std::make_shared<delivery::Policy>(*mail::Domain::parse(from.hostname));
  policy->retry = from.retry;
  policy->signature_lifetime = auth::signature_lifetime(from.retry.expire);
  policy->outbound = from.outbound;
  policy->routes = std::make_shared<const forward::NextHopTable>(from.routes);
  policy->hide_targets = from.queue.redact_target;
  policy->providers = std::make_shared<const forward::ProviderTable>(from.providers);
  policy->notices = from.notices;
  policy->postmaster = from.defaults.postmaster;
  set_own_endpoints(*policy, from);
  set_sources(*policy, from.outbound.source);
  set_sources(policy->risk, from.risk.source);
  policy->risk.connections = from.risk.connections;
  policy->risk.rate = from.risk.rate;
  policy->own_targets = [planner = std::move(planner)](const mail::Mailbox& address) {
    return targets_of(*planner, address);
  };
  return policy;
}

}  // namespace

std::expected<Policies, std::vector<settings::Problem>> make_policies(
    std::shared_ptr<const settings::Settings> settings) {
  const auto whole = [&settings](std::string text) {
    return std::unexpected(std::vector<settings::Problem>{
        {.at = {settings->file}, .code = settings::ProblemCode::Value, .text = std::move(text)}});
  };
  auto planner =
      forward::Planner::make(settings, [organisations = auth::OrganisationalDomain()](
                                           const std::string& domain, forward::Suffixes suffixes) {
        return suffixes == forward::Suffixes::All ? organisations.of(domain)
                                                  : organisations.by_registries(domain);
      });
  if (!planner) return whole(planner.error());
  auto signing = load_signing_keys(*settings);
  if (!signing) return std::unexpected(std::move(signing.error()));
  if (auto wrong = srs_round_trip_problem(**planner, wall_now())) return whole(std::move(*wrong));
  Policies policies;
  policies.redaction = redaction(*settings, *planner);
  policies.inbound = inbound_policy(*settings, *planner);
  policies.delivery = delivery_policy(*settings, *planner);
  policies.signing = std::make_shared<const auth::SigningKeys>(std::move(*signing));
  policies.settings = std::move(settings);
  return policies;
}

}  // namespace relay::app
