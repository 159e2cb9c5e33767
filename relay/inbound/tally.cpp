#include "relay/inbound/tally.hpp"

#include <algorithm>
#include <new>

namespace relay::inbound {

namespace {

constexpr std::array kNamed{ShareLevel::Client, ShareLevel::Network, ShareLevel::WiderNetwork};
constexpr std::array kLevels{ShareLevel::Client, ShareLevel::Network, ShareLevel::WiderNetwork,
                             ShareLevel::Everybody};

std::size_t index_of(ShareLevel level) { return static_cast<std::size_t>(level); }

std::uint64_t limit_of(const ShareLimits& limits, ShareLevel level) {
  switch (level) {
    case ShareLevel::Client:
      return limits.per_client;
    case ShareLevel::Network:
      return limits.per_network;
    case ShareLevel::WiderNetwork:
      return limits.per_wider();
    case ShareLevel::Everybody:
      break;
  }
  return limits.total;
}

ShareLevel widest_level_of(const Tally::Chain& chain) {
  const bool has_wider = chain.at(index_of(ShareLevel::WiderNetwork)) != nullptr;
  return has_wider ? ShareLevel::WiderNetwork : ShareLevel::Network;
}

}  // namespace

std::uint64_t ShareLimits::per_wider() const {
  return std::max(per_network, std::min(2 * per_network, total / 2));
}

Tally::Count* Tally::count_of(const Chain& chain, ShareLevel level) {
  if (level == ShareLevel::Everybody) return &everybody_;
  const auto named = chain.at(index_of(level));
  return named == nullptr ? nullptr : &named->second;
}

Tally::Count* Tally::widest_of(const Chain& chain) {
  const auto named = chain.at(index_of(widest_level_of(chain)));
  return named == nullptr ? nullptr : &named->second;
}

bool Tally::has_its_part(const Chain& chain) const {
  const Count* const widest = widest_of(chain);
  const std::uint64_t parts = networks_.load(std::memory_order_relaxed) + 1ULL;
  return widest != nullptr &&
         widest->held.load(std::memory_order_relaxed) >= std::max(held() / parts, 1UL);
}

Tally::Chain Tally::pin(const base::Origin& origin, const ShareLimits& limits) {
  Chain chain{};
  const std::array<const std::string*, 3> names{&origin.client, &origin.network, &origin.wider};
  try {
    for (const ShareLevel level : kNamed) {
      const std::string& name = *names.at(index_of(level));
      const bool counted = level != ShareLevel::Client || limits.per_client > 0;
      if (name.empty() || !counted) continue;
      auto& named = *counts_.try_emplace(name).first;
      ++named.second.holdings;
      chain.at(index_of(level)) = &named;
    }
  } catch (const std::bad_alloc&) {
    unpin(chain);
    throw;
  }
  return chain;
}

void Tally::unpin(const Chain& chain) noexcept {
  for (Counts::value_type* named : chain) {
    if (named != nullptr && --named->second.holdings == 0)
      counts_.erase(counts_.find(named->first));
  }
}

void Tally::add(const Chain& chain, std::uint64_t amount, std::uint64_t instead_of) noexcept {
  for (const ShareLevel level : kLevels) {
    Count* const counted = count_of(chain, level);
    if (counted == nullptr) continue;
    const std::uint64_t held = counted->held.load(std::memory_order_relaxed);
    const std::uint64_t now_held = held - instead_of + amount;
    counted->held.store(now_held, std::memory_order_release);
    if (counted != widest_of(chain) || (held == 0) == (now_held == 0)) continue;
    networks_ += held == 0 ? 1U : -1U;
  }
}

std::expected<void, Tally::Shortage> Tally::room_for(const Chain& chain, const ShareLimits& limits,
                                                     std::uint64_t own, std::uint64_t more) {
  for (const ShareLevel level : kLevels) {
    const Count* const counted = count_of(chain, level);
    if (counted == nullptr) continue;
    if (counted->held.load(std::memory_order_relaxed) + more > limit_of(limits, level)) {
      return std::unexpected(Shortage{.used_up = level, .room_at = level});
    }
  }
  const Count* const widest = widest_of(chain);
  if (!limits.leaves_room || widest == nullptr) return {};
  const std::uint64_t held = widest->held.load(std::memory_order_relaxed);
  if (held + more <= limits.total - everybody_.held.load(std::memory_order_relaxed)) return {};
  // A network that holds something already has had its share of a crowded whole. One that asks for
  // the first time finds that the whole is used up.
  const bool is_first = held == own;
  return std::unexpected(
      Shortage{.used_up = is_first ? ShareLevel::Everybody : widest_level_of(chain),
               .room_at = ShareLevel::Everybody});
}

}  // namespace relay::inbound
