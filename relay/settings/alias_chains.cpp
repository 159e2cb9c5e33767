// Chains of aliases inside our own domains: loops and explosions are found when the file is read.
#include <map>
#include <set>

#include <fmt/format.h>

#include "relay/settings/read_sections.hpp"

namespace relay::settings {

namespace {

constexpr std::size_t kMaxDepth = 10;
constexpr std::size_t kMaxLeaves = 1000;

using Graph = std::map<std::string, const Alias*>;

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
    std::string folded = mailbox.local_part();
    for (char& c : folded) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    return folded + '@' + mailbox.domain().folded();
  }
};

}  // namespace

void check_alias_chains(const Settings& settings, Findings& findings) {
  Graph graph;
  for (const HostedDomain& domain : settings.domains) {
    for (const Alias& alias : domain.aliases) {
      if (alias.local_part != "*") graph[alias.local_part + '@' + domain.name.folded()] = &alias;
    }
  }
  for (const auto& [address, alias] : graph) {
    Walk walk{.graph = graph, .path = {}, .leaves = 0, .trouble = {}};
    walk.visit(address);
    if (walk.trouble.empty()) continue;
    const bool loop = walk.trouble.starts_with("leads back");
    findings.add({settings.file, 0, 0}, loop ? ProblemCode::Loop : ProblemCode::FanOut,
                 fmt::format("alias {} {}", address, walk.trouble));
  }
}

}  // namespace relay::settings
