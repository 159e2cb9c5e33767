// Chains of aliases inside our own domains: loops and explosions are found when the file is read.
#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <fmt/format.h>

#include "relay/base/text.hpp"
#include "relay/settings/read_sections.hpp"

namespace relay::settings {

namespace {

constexpr std::size_t kMaxDepth = 10;
constexpr std::size_t kMaxLeaves = 1000;

using Names = std::unordered_set<std::string>;
using Graph = std::unordered_map<std::string, const Alias*>;

struct Walk {
  const Graph& graph;
  std::set<std::string> path;
  std::size_t leaves = 0;
  std::string trouble;

  void visit(const std::string& address) {
    if (!trouble.empty()) return;
    const auto alias = graph.find(address);
    if (alias == graph.end()) {
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
      visit(target.local_part() == "*" ? std::string() : key(target));
    }
    path.erase(address);
  }

  static std::string key(const mail::Mailbox& mailbox) {
    return base::lower(mailbox.local_part()) + '@' + mailbox.domain().folded();
  }
};

bool leads_inside(const Alias& alias, const Names& hosted) {
  return std::ranges::any_of(alias.targets, [&](const mail::Mailbox& target) {
    return hosted.contains(target.domain().folded());
  });
}

/// Whether there is anything to walk: other aliases, or more targets than one alias may have.
bool leads_on(const Alias& alias, const Names& hosted) {
  return alias.targets.size() > kMaxLeaves || leads_inside(alias, hosted);
}

std::string address_of(const Alias& alias, const HostedDomain& domain) {
  return alias.local_part + '@' + domain.name.folded();
}

void check_chain(const std::string& address, const Graph& graph, const Settings& settings,
                 Findings& findings) {
  Walk walk{.graph = graph, .path = {}, .leaves = 0, .trouble = {}};
  walk.visit(address);
  if (walk.trouble.empty()) return;
  const bool loop = walk.trouble.starts_with("leads back");
  findings.add({settings.file, 0, 0}, loop ? ProblemCode::Loop : ProblemCode::FanOut,
               fmt::format("alias {} {}", address, walk.trouble));
}

Graph graph_of(const Settings& settings) {
  Graph graph;
  for (const HostedDomain& domain : settings.domains) {
    for (const Alias& alias : domain.aliases) {
      if (alias.local_part != "*") graph[address_of(alias, domain)] = &alias;
    }
  }
  return graph;
}

}  // namespace

void check_alias_chains(const Settings& settings, Findings& findings) {
  Names hosted;
  for (const HostedDomain& domain : settings.domains) hosted.insert(domain.name.folded());
  std::vector<std::string> starts;
  for (const HostedDomain& domain : settings.domains) {
    for (const Alias& alias : domain.aliases) {
      if (alias.local_part != "*" && leads_on(alias, hosted)) {
        starts.push_back(address_of(alias, domain));
      }
    }
  }
  if (starts.empty()) return;  // most forward to elsewhere: a million of them need no graph
  const Graph graph = graph_of(settings);
  for (const std::string& start : starts) check_chain(start, graph, settings, findings);
}

}  // namespace relay::settings
