#include "relay/delivery/pause_rules.hpp"

#include <algorithm>

#include "relay/base/text.hpp"
#include "relay/ports/queue_filter.hpp"

namespace relay::delivery {

namespace {

using Kind = ports::PauseRule::Kind;

}  // namespace

const ports::PauseRule* PauseRules::about(const HostList& list) const {
  const auto found = std::ranges::find_if(rules_, [&](const ports::PauseRule& rule) {
    if (rule.kind != Kind::Host) return false;
    return (list.provider && *list.provider == rule.value) ||
           std::ranges::any_of(list.hosts, [&](const Candidate& host) {
             return ports::matches_host(rule.value, host.host);
           });
  });
  return found == rules_.end() ? nullptr : &*found;
}

const ports::PauseRule* PauseRules::about_alias(std::string_view forward_path) const {
  if (!are_about_aliases()) return nullptr;
  const std::string folded = base::lower(forward_path);
  const std::size_t at = folded.rfind('@');
  const std::string domain = at == std::string::npos ? std::string() : folded.substr(at + 1);
  const auto found = std::ranges::find_if(rules_, [&](const ports::PauseRule& rule) {
    return (rule.kind == Kind::Alias && rule.value == folded) ||
           (rule.kind == Kind::Domain && rule.value == domain);
  });
  return found == rules_.end() ? nullptr : &*found;
}

bool PauseRules::are_about_aliases() const {
  return std::ranges::any_of(rules_, [](const auto& rule) { return rule.kind != Kind::Host; });
}

}  // namespace relay::delivery
