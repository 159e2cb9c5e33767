#include "tests/simulation/pauses.hpp"

#include <algorithm>

namespace relay::simulation {

namespace {

bool ends_with_label(std::string_view name, std::string_view ending) {
  if (name == ending) return true;
  return name.size() > ending.size() && name.ends_with(ending) &&
         name[name.size() - ending.size() - 1] == '.';
}

bool matches(const ports::PauseRule& rule, std::string_view alias, std::string_view host) {
  switch (rule.kind) {
    case ports::PauseRule::Kind::Host:
      return host.empty() || ends_with_label(host, rule.value);
    case ports::PauseRule::Kind::Domain:
      return alias.substr(alias.rfind('@') + 1) == rule.value;
    case ports::PauseRule::Kind::Alias:
      return alias == rule.value;
  }
  return false;
}

}  // namespace

void Pauses::set(const std::vector<ports::PauseRule>& rules) {
  std::vector<Known> next;
  for (const auto& rule : rules) {
    const auto known = std::ranges::find_if(rules_, [&](const Known& one) {
      return one.rule.kind == rule.kind && one.rule.value == rule.value;
    });
    const auto now = clock_.steady();
    const auto until = rule.until ? now + (*rule.until - clock_.wall()) : base::SteadyTime::max();
    next.push_back({rule, known == rules_.end() ? now : known->since, until});
  }
  if (next.size() < rules_.size()) removed_at_ = clock_.steady();
  rules_ = std::move(next);
}

base::SteadyTime Pauses::lifted_at() const {
  base::SteadyTime last = removed_at_;
  for (const Known& known : rules_) {
    if (known.until <= clock_.steady()) last = std::max(last, known.until);
  }
  return last;
}

bool Pauses::keep_back(std::string_view alias, std::string_view host,
                       std::chrono::milliseconds known_for) const {
  return std::ranges::any_of(rules_, [&](const Known& known) {
    const bool over = known.until <= clock_.steady();
    const bool heard = clock_.steady() - known.since >= known_for;
    return !over && heard && matches(known.rule, alias, host);
  });
}

}  // namespace relay::simulation
