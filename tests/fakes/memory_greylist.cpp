#include "tests/fakes/memory_greylist.hpp"

#include <algorithm>

namespace relay::fakes {

using ports::GreylistAnswer;
using ports::SpoolError;

base::Task<std::expected<GreylistAnswer, SpoolError>> MemoryGreylist::see(
    ports::GreylistKey key, ports::GreylistRules rules) {
  return core_.write(
      [this, key = std::move(key), rules]() -> std::expected<GreylistAnswer, SpoolError> {
        return answer(key, rules);
      });
}

GreylistAnswer MemoryGreylist::answer(const ports::GreylistKey& key,
                                      const ports::GreylistRules& rules) {
  const base::WallTime now = core_.now();
  const auto network = visitor(key.network);
  if (network && network->passes >= rules.trusted_after) {
    keep(key.network, {network->at, now + rules.remember, network->passes, key.counted_under});
    return GreylistAnswer::TrustedNetwork;
  }
  const auto sender = visitor(key.sender);
  if (!sender) {
    if (rules.takes_new) {
      keep(key.sender, {now, now + rules.retry_window, 0, key.counted_under});
    }
    return GreylistAnswer::First;
  }
  if (sender->passes > 0) {
    keep(key.sender, {sender->at, now + rules.remember, 1, key.counted_under});
    return GreylistAnswer::Known;
  }
  if (now - sender->at < rules.delay) return GreylistAnswer::TooSoon;
  keep(key.sender, {sender->at, now + rules.remember, 1, key.counted_under});
  if (!network || now - network->at >= rules.delay) {
    keep(key.network,
         {now, now + rules.remember, network ? network->passes + 1 : 1, key.counted_under});
  }
  return GreylistAnswer::Passed;
}

std::optional<MemoryGreylist::Visitor> MemoryGreylist::visitor(const std::string& key) const {
  const auto found = visitors_.find(key);
  const base::WallTime now = core_.now();
  if (found == visitors_.end() || found->second.expires <= now || found->second.at > now) {
    return std::nullopt;
  }
  return found->second;
}

void MemoryGreylist::keep(const std::string& key, Visitor visitor) {
  if (const auto before = visitors_.find(key); before != visitors_.end()) {
    order_of(before->second).erase({before->second.expires, key});
    visitors_.erase(before);
  }
  Order& alike = order_of(visitor);
  while (!alike.empty() && alike.size() >= max_rows_ / 2) drop_one(alike);
  alike.emplace(visitor.expires, key);
  visitors_.emplace(key, visitor);
}

void MemoryGreylist::drop_one(Order& alike) {
  std::map<std::string, std::size_t> counts;
  for (const auto& [expires, key] : alike) ++counts[visitors_.at(key).counted_under];
  const auto most =
      std::ranges::max_element(counts, {}, [](const auto& one) { return one.second; });
  const auto victim = std::ranges::find_if(alike, [&](const auto& row) {
    return most->second <= ports::kFewVisits ||
           visitors_.at(row.second).counted_under == most->first;
  });
  visitors_.erase(victim->second);
  alike.erase(victim);
}

}  // namespace relay::fakes
