#include "relay/auth/dmarc/tree_walk.hpp"

#include <algorithm>

namespace relay::auth::dmarc {

namespace {

/// The domain without its first label; empty if it has only one.
std::string_view parent_of(std::string_view domain) {
  const std::size_t dot = domain.find('.');
  return dot == std::string_view::npos ? std::string_view() : domain.substr(dot + 1);
}

std::size_t labels_in(std::string_view domain) {
  return static_cast<std::size_t>(std::ranges::count(domain, '.')) + 1;
}

/// The domain one label below `ancestor` on the way down to `domain`.
std::string one_below(std::string_view domain, std::string_view ancestor) {
  std::string_view below = domain;
  while (labels_in(below) > labels_in(ancestor) + 1) below = parent_of(below);
  return std::string(below);
}

}  // namespace

std::vector<std::string> walk_names(const std::string& domain) {
  std::vector<std::string> names{domain};
  std::string_view rest = parent_of(domain);
  while (!rest.empty() && labels_in(rest) >= kMaxWalkQueries) rest = parent_of(rest);
  for (; !rest.empty(); rest = parent_of(rest)) names.emplace_back(rest);
  return names;
}

bool ends_walk(const WalkStep& step) {
  return step.record && step.record->public_suffix != PublicSuffix::Unsaid;
}

std::string organisational_domain(const std::vector<WalkStep>& steps) {
  const std::string& start = steps.front().domain;
  const WalkStep* highest = nullptr;
  for (const WalkStep& step : steps) {
    if (!step.record) continue;
    if (step.record->public_suffix == PublicSuffix::No) return step.domain;
    if (step.record->public_suffix == PublicSuffix::Yes && step.domain != start) {
      return one_below(start, step.domain);
    }
    highest = &step;
  }
  return highest ? highest->domain : start;
}

const WalkStep* applicable_step(const std::vector<WalkStep>& steps) {
  if (steps.front().record) return &steps.front();
  const std::string organisation = organisational_domain(steps);
  const WalkStep* suffix = nullptr;
  for (const WalkStep& step : steps) {
    if (!step.record) continue;
    if (step.domain == organisation) return &step;
    if (step.record->public_suffix == PublicSuffix::Yes) suffix = &step;
  }
  return suffix;
}

bool is_within(std::string_view domain, std::string_view ancestor) {
  if (domain == ancestor) return true;
  return domain.size() > ancestor.size() && domain.ends_with(ancestor) &&
         domain[domain.size() - ancestor.size() - 1] == '.';
}

}  // namespace relay::auth::dmarc
