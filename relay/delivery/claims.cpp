#include "relay/delivery/claims.hpp"

#include <algorithm>
#include <utility>

namespace relay::delivery {

void Claims::Meanwhile::offer(std::vector<std::uint16_t>& copies) {
  for (const std::uint16_t index : copies) {
    if (index < passed_over.size()) passed_over[index] = false;
  }
  std::erase_if(copies, [&](std::uint16_t index) {
    return std::ranges::find(withdrawn, index) != withdrawn.end();
  });
}

bool Claims::Meanwhile::is_left() const {
  return !withdrawn.empty() || std::ranges::find(passed_over, true) != passed_over.end();
}

bool Claims::take(const mail::CopyId& copy) {
  if (const auto expected = expected_.find(copy.message); expected != expected_.end()) {
    auto& passed_over = expected->second.passed_over;
    if (passed_over.size() <= copy.index) passed_over.resize(copy.index + 1U);
    passed_over[copy.index] = true;
    return false;
  }
  return claims_.try_emplace(copy).second;
}

bool Claims::release(const mail::CopyId& copy) {
  const auto found = claims_.find(copy);
  if (found == claims_.end()) return false;
  const bool withdrawn = found->second.is_withdrawn;
  claims_.erase(found);
  return withdrawn;
}

Claims::Meanwhile Claims::expect_no_more(const mail::MessageId& id) {
  const auto found = expected_.find(id);
  if (found == expected_.end()) return {};
  auto meanwhile = std::move(found->second);
  expected_.erase(found);
  return meanwhile;
}

bool Claims::withdraw(const mail::CopyId& copy) {
  if (const auto expected = expected_.find(copy.message); expected != expected_.end()) {
    expected->second.withdrawn.push_back(copy.index);
    return false;
  }
  const auto found = claims_.find(copy);
  if (found == claims_.end()) return false;
  found->second.is_withdrawn = true;
  return found->second.is_at_dot;
}

bool Claims::is_withdrawn(const mail::CopyId& copy) const {
  const auto found = claims_.find(copy);
  return found != claims_.end() && found->second.is_withdrawn;
}

bool Claims::enter_dot(const mail::MessageId& id, const std::vector<std::uint16_t>& indices) {
  const bool withdrawn =
      std::ranges::any_of(indices, [&](std::uint16_t index) { return is_withdrawn({id, index}); });
  if (withdrawn) return false;
  for (const std::uint16_t index : indices) {
    const auto found = claims_.find({id, index});
    if (found != claims_.end()) found->second.is_at_dot = true;
  }
  return true;
}

}  // namespace relay::delivery
