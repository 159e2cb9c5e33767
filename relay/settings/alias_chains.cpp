// Chains of aliases within our own domains: finds loops and explosions when the file is read.
#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "relay/forward/hosted_domains.hpp"
#include "relay/forward/policy.hpp"
#include "relay/mail/folding.hpp"
#include "relay/settings/findings.hpp"
#include "relay/settings/problem_code.hpp"
#include "relay/settings/read_sections.hpp"

namespace relay::settings {

using forward::Alias;
using forward::HostedDomain;
using forward::HostedDomains;

namespace {

constexpr std::size_t kMaxDepth = 10;
constexpr std::size_t kMaxLeaves = 1000;

/// The aliases of our domains, found by address.
struct Graph {
  HostedDomains hosted;
  std::unordered_map<std::string, const Alias*> aliases;  ///< by "local@" and HostedDomain::text()

  /// The key of an address of ours in `aliases`; for any other address, the folded address.
  std::string key_of(const mail::Mailbox& address) const {
    const HostedDomain* domain = hosted.find(address.domain().folded());
    if (domain == nullptr) return address.folded();
    return mail::folded_local_part(address.local_part()) + '@' + domain->text();
  }
};

struct Walk {
  const Graph& graph;
  std::set<std::string> path;
  std::size_t leaves = 0;
  std::string trouble;

  void visit(const std::string& address) {
    if (!trouble.empty()) return;
    const auto alias = graph.aliases.find(address);
    if (alias == graph.aliases.end()) {
      if (++leaves > kMaxLeaves) trouble = fmt::format("leads to over {} addresses", kMaxLeaves);
      return;
    }
    if (path.size() >= kMaxDepth) {
      trouble = fmt::format("is a chain of over {} aliases", kMaxDepth);
      return;
    }
    if (!path.insert(address).second) {
      trouble = fmt::format("leads back to itself through {}", address);
      return;
    }
    for (const mail::Mailbox& target : alias->second->targets) {
      visit(target.local_part() == "*" ? std::string() : graph.key_of(target));
    }
    path.erase(address);
  }
};

bool leads_inside(const Alias& alias, const HostedDomains& hosted) {
  return std::ranges::any_of(alias.targets, [&](const mail::Mailbox& target) {
    return hosted.find(target.domain().folded()) != nullptr;
  });
}

/// Whether there is anything to follow: other aliases, or more targets than one alias may have.
bool leads_on(const Alias& alias, const HostedDomains& hosted) {
  return alias.targets.size() > kMaxLeaves || leads_inside(alias, hosted);
}

std::string address_of(const Alias& alias, const HostedDomain& domain) {
  return alias.local_part + '@' + domain.text();
}

void check_chain(const std::string& address, const Graph& graph, Findings& findings) {
  Walk walk{.graph = graph, .path = {}, .leaves = 0, .trouble = {}};
  walk.visit(address);
  if (walk.trouble.empty()) return;
  const bool loop = walk.trouble.starts_with("leads back");
  findings.add(findings.position(graph.aliases.at(address)->at),
               loop ? ProblemCode::Loop : ProblemCode::FanOut,
               fmt::format("alias {} {}", address, walk.trouble));
}

Graph graph_of(const forward::Policy& policy, HostedDomains hosted) {
  Graph graph{.hosted = std::move(hosted), .aliases = {}};
  for (const HostedDomain& domain : policy.domains) {
    for (const Alias& alias : domain.aliases) {
      if (alias.local_part != "*") graph.aliases.try_emplace(address_of(alias, domain), &alias);
    }
  }
  return graph;
}

}  // namespace

void check_alias_chains(const forward::Policy& policy, Findings& findings) {
  HostedDomains hosted(policy);
  std::vector<std::string> starts;
  for (const HostedDomain& domain : policy.domains) {
    for (const Alias& alias : domain.aliases) {
      if (alias.local_part != "*" && leads_on(alias, hosted)) {
        starts.push_back(address_of(alias, domain));
      }
    }
  }
  if (starts.empty()) return;  // most aliases lead elsewhere: a million of them need no graph
  const Graph graph = graph_of(policy, std::move(hosted));
  for (const std::string& start : starts) check_chain(start, graph, findings);
}

}  // namespace relay::settings
