#include "relay/app/dns_doubts.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include "relay/app/self_check.hpp"
#include "relay/base/errands.hpp"
#include "relay/base/text.hpp"
#include "relay/delivery/address_policy.hpp"
#include "relay/delivery/mx_selection.hpp"
#include "relay/review/doubts.hpp"
#include "relay/settings/problem.hpp"
#include "relay/settings/settings.hpp"

namespace relay::app {

namespace {

constexpr std::size_t kAtATime = 50;

/// One place that names a domain as a target.
struct Named {
  base::SourcePlace at;
  std::string word;  ///< as written there
  std::string from;  ///< whose target the domain is
};

/// Domains outside our own, each with the first place that names it.
using Domains = std::map<std::string, Named>;

void add_domain(Domains& domains, const Policies& policies, const mail::Domain& domain,
                const Named& named) {
  if (policies.inbound->planner->directory().is_ours(domain)) return;
  domains.try_emplace(domain.folded(), named);
}

Domains domains_outside(const Policies& policies) {
  Domains domains;
  const settings::Settings& settings = *policies.settings;
  for (const forward::HostedDomain& domain : settings.domains) {
    const std::string name = domain.text();
    for (const forward::Alias& alias : domain.aliases) {
      const auto add = [&](const mail::Mailbox& target) {
        if (domains.contains(target.domain().folded())) return;
        add_domain(domains, policies, target.domain(),
                   {alias.at, target.to_string(), alias.local_part + '@' + name});
      };
      std::ranges::for_each(alias.targets, add);
      if (alias.fallback) add(*alias.fallback);
    }
    for (const forward::Pattern& pattern : domain.patterns) {
      for (const std::string& target : pattern.targets) {
        const auto elsewhere = mail::Domain::parse(target.substr(target.rfind('@') + 1));
        if (elsewhere) {
          add_domain(domains, policies, *elsewhere, {pattern.at, target, "a pattern of " + name});
        }
      }
    }
    if (domain.map_to) {
      add_domain(domains, policies, *domain.map_to,
                 {domain.map_to_at, domain.map_to->text(), name + " as a whole"});
    }
  }
  if (const auto& postmaster = settings.defaults.postmaster) {
    add_domain(domains, policies, postmaster->domain(),
               {settings.defaults.postmaster_at, postmaster->to_string(), "defaults.postmaster"});
  }
  return domains;
}

/// What happens to mail for a domain to which it cannot be delivered for this reason.
std::string consequence(const mail::Outcome& why) {
  return why.kind == mail::OutcomeKind::Failed ? "mail for it fails" : "mail for it waits";
}

struct Asking {
  ports::Resolver& resolver;
  ports::Clock& clock;
  const Policies& policies;
  base::Deadline deadline;
  Domains domains;
  Domains::const_iterator next;
  std::map<std::string, mail::Outcome> dead = {};
  std::size_t not_asked = 0;
};

base::Task<> ask_on(Asking& all) {
  delivery::MxSelection selection(all.resolver, all.clock);
  while (all.next != all.domains.end()) {
    const std::string domain = (all.next++)->first;
    if (all.clock.steady() >= all.deadline.at) {
      ++all.not_asked;
      continue;
    }
    auto destination =
        delivery::destination_of({.domain = domain, .risk_pool = false}, *all.policies.delivery);
    const auto hosts = co_await selection.hosts(std::move(destination), all.policies.delivery,
                                                all.policies.delivery->timeouts.dns);
    if (!hosts) all.dead.emplace(domain, hosts.error());
  }
}

base::Task<> ask_for_domains(Asking& all, review::Doubts& doubts) {
  all.next = all.domains.begin();
  std::vector<base::Task<>> askers;
  for (std::size_t i = 0; i < std::min(kAtATime, all.domains.size()); ++i) {
    askers.push_back(ask_on(all));
  }
  co_await base::run_all(std::move(askers));
  for (const auto& [domain, why] : all.dead) {
    const Named& named = all.domains.at(domain);
    doubts.add(named.at, named.word,
               fmt::format("{} leads to {}: {}, as {}", named.from, domain, consequence(why),
                           why.attempt.text),
               "is the domain spelt right?");
  }
  if (all.not_asked > 0) {
    doubts.add({}, fmt::format("{} domains were not looked up for want of time", all.not_asked),
               "give more with --timeout");
  }
}

/// The DNS record that a key of ours needs.
struct KeyRecord {
  base::SourcePlace at;
  std::string owner;
  std::string wanted;
};

base::Task<> ask_for_key(Asking& all, const KeyRecord& record, review::Doubts& doubts) {
  const auto& [at, owner, wanted] = record;
  const auto texts = co_await all.resolver.txt(owner, all.deadline);
  const auto key_of = [](std::string_view text) {
    const std::size_t key_at = text.find("p=");
    std::string key;
    for (const char c : key_at == text.npos ? "" : text.substr(key_at + 2)) {
      if (c == ';') break;
      if (c != ' ' && c != '\t') key += c;
    }
    return key;
  };
  if (!texts && ports::is_temporary(texts.error())) {
    doubts.add(
        at, fmt::format("dkim: {} cannot be looked up: {}", owner, ports::describe(texts.error())));
  } else if (!texts || texts->records.empty()) {
    doubts.add(
        at, fmt::format("dkim: {} is not in the DNS: no signature of ours can be verified", owner),
        fmt::format("publish TXT \"{}\"", wanted));
  } else if (std::ranges::none_of(texts->records, [&](const std::string& text) {
               return key_of(text) == key_of(record.wanted);
             })) {
    doubts.add(at,
               fmt::format("dkim: {} in the DNS is not of this key: signatures made with it "
                           "do not hold",
                           owner),
               fmt::format("publish TXT \"{}\"", wanted));
  }
}

base::Task<> ask_for_keys(Asking& all, review::Doubts& doubts) {
  const settings::Settings& settings = *all.policies.settings;
  for (std::size_t i = 0; i < settings.dkim.size(); ++i) {
    const auto& made = all.policies.signing->domains.at(i);
    for (std::size_t k = 0; k < made.keys.size(); ++k) {
      const auto& [selector, key] = made.keys[k];
      const KeyRecord record{.at = settings.dkim[i].keys.at(k).key.at,
                             .owner = base::lower(selector) + "._domainkey." + made.domain,
                             .wanted = key.dns_record()};
      co_await ask_for_key(all, record, doubts);
    }
  }
}

}  // namespace

base::Task<std::vector<settings::Problem>> dns_doubts(ports::Resolver& resolver,
                                                      ports::Clock& clock, const Policies& policies,
                                                      std::chrono::seconds patience) {
  review::Doubts doubts(*policies.settings);
  Asking all{.resolver = resolver,
             .clock = clock,
             .policies = policies,
             .deadline = {.at = clock.steady() + patience},
             .domains = domains_outside(policies),
             .next = {}};
  doubts.begin("srs-dns");
  auto own = interface_addresses();
  for (const std::string& source : policies.settings->outbound.source) {
    own.push_back(boost::asio::ip::make_address(source));
  }
  const auto listens = delivery::own_addresses(*policies.delivery);
  own.insert(own.end(), listens.begin(), listens.end());
  const auto problems =
      co_await srs_dns_problems(resolver, policies.settings, std::move(own), all.deadline);
  for (const std::string& problem : problems) {
    doubts.add(policies.settings->srs.domain_at, "srs.domain: " + problem);
  }
  doubts.begin("key-record");
  co_await ask_for_keys(all, doubts);
  doubts.begin("target-domain");
  co_await ask_for_domains(all, doubts);
  co_return std::move(doubts).take();
}

}  // namespace relay::app
