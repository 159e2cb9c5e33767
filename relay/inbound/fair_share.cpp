#include "relay/inbound/fair_share.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <new>
#include <tuple>
#include <utility>

#include <boost/asio/post.hpp>

namespace relay::inbound {

namespace {

// After a search has found no stalled holding, the next search at that level waits this long.
constexpr std::chrono::milliseconds kLookAgain{100};
constexpr std::array kNamed{ShareLevel::Client, ShareLevel::Network, ShareLevel::WiderNetwork};
constexpr std::array kLevels{ShareLevel::Client, ShareLevel::Network, ShareLevel::WiderNetwork,
                             ShareLevel::Everybody};

std::size_t index_of(ShareLevel level) { return static_cast<std::size_t>(level); }

}  // namespace

std::uint64_t ShareLimits::per_wider() const {
  return std::max(per_network, std::min(2 * per_network, total / 2));
}

std::uint64_t FairShare::limit_of(const ShareLimits& limits, ShareLevel level) {
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

FairShare::Level* FairShare::level_of(const Chain& chain, ShareLevel level) {
  if (level == ShareLevel::Everybody) return &everybody_;
  const auto named = chain.at(index_of(level));
  return named == nullptr ? nullptr : &named->second;
}

ShareLevel FairShare::widest_level_of(const Chain& chain) {
  const bool has_wider = chain.at(index_of(ShareLevel::WiderNetwork)) != nullptr;
  return has_wider ? ShareLevel::WiderNetwork : ShareLevel::Network;
}

FairShare::Level* FairShare::widest_of(const Chain& chain) {
  return level_of(chain, widest_level_of(chain));
}

// --- counting; the mutex is held

FairShare::Chain FairShare::pin(const base::Origin& origin, const ShareLimits& limits) {
  Chain chain{};
  const std::array<const std::string*, 3> names{&origin.client, &origin.network, &origin.wider};
  try {
    for (const ShareLevel level : kNamed) {
      const std::string& name = *names.at(index_of(level));
      const bool counted = level != ShareLevel::Client || limits.per_client > 0;
      if (name.empty() || !counted) continue;
      auto& named = *levels_.try_emplace(name).first;
      ++named.second.holdings;
      chain.at(index_of(level)) = &named;
    }
  } catch (const std::bad_alloc&) {
    unpin(chain);
    throw;
  }
  return chain;
}

void FairShare::unpin(const Chain& chain) noexcept {
  for (Levels::value_type* named : chain) {
    if (named != nullptr && --named->second.holdings == 0)
      levels_.erase(levels_.find(named->first));
  }
}

void FairShare::add(const Chain& chain, std::uint64_t amount, std::uint64_t instead_of) noexcept {
  for (const ShareLevel level : kLevels) {
    Level* const counted = level_of(chain, level);
    if (counted == nullptr) continue;
    const std::uint64_t held = counted->held.load(std::memory_order_relaxed);
    counted->held.store(held - instead_of + amount, std::memory_order_release);
  }
}

std::expected<void, FairShare::Shortage> FairShare::room_for(const Chain& chain,
                                                             const ShareLimits& limits,
                                                             std::uint64_t own,
                                                             std::uint64_t more) {
  for (const ShareLevel level : kLevels) {
    const Level* const counted = level_of(chain, level);
    if (counted == nullptr) continue;
    if (counted->held.load(std::memory_order_relaxed) + more > limit_of(limits, level)) {
      return std::unexpected(Shortage{.used_up = level, .room_at = level});
    }
  }
  const Level* const widest = widest_of(chain);
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

std::expected<void, ShareLevel> FairShare::hold(Entry& entry, std::uint64_t amount) {
  if (entry.has_yielded && amount > 0) return std::unexpected(ShareLevel::Client);
  while (amount > entry.held) {
    const auto room = room_for(entry.chain, entry.limits, entry.held, amount - entry.held);
    if (room) break;
    if (!make_room(entry, room.error().room_at)) return std::unexpected(room.error().used_up);
  }
  add(entry.chain, amount, entry.held);
  entry.held = amount;
  return {};
}

// --- taking from stalled holders

bool FairShare::make_room(const Entry& entry, ShareLevel level) {
  Level& full = *level_of(entry.chain, level);
  const base::SteadyTime now = clock_.steady();
  if (now - full.nobody_stalled < kLookAgain) return false;
  Entry* const worst = worst_at(full, level, now);
  if (worst == nullptr) full.nobody_stalled = now;
  return worst != nullptr && take_from(*worst);
}

/// The stalled holding at this level whose widest network holds most; among equals, the biggest
/// one. nullptr: none is stalled.
FairShare::Entry* FairShare::worst_at(const Level& level, ShareLevel kind, base::SteadyTime now) {
  const auto stalls_here = [&](const Entry& entry) {
    if (entry.held == 0 || !entry.yielding || !entry.waits.load()) return false;
    const base::SteadyTime since{entry.progress_at.load()};
    return now - since >= kPatience && level_of(entry.chain, kind) == &level;
  };
  const auto weight = [&](const Entry& entry) {
    const Level* const around = widest_of(entry.chain);
    return std::tuple(around == nullptr ? 0 : around->held.load(), entry.held);
  };
  Entry* worst = nullptr;
  for (Entry& entry : entries_) {
    if (stalls_here(entry) && (worst == nullptr || weight(*worst) < weight(entry))) worst = &entry;
  }
  return worst;
}

bool FairShare::take_from(Entry& stalled) {
  try {
    boost::asio::post(stalled.yielding->executor,
                      [this, number = stalled.number] { tell_to_yield(number); });
  } catch (const std::bad_alloc&) {
    return false;  // the holder could not be told, so nothing is taken
  }
  stalled.has_yielded = true;
  add(stalled.chain, 0, stalled.held);
  stalled.held = 0;
  return true;
}

/// Runs on the holder's executor, so the holding cannot end between lookup and call.
void FairShare::tell_to_yield(std::uint64_t number) {
  const std::function<void()>* yield = nullptr;
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(entries_, number, &Entry::number);
    if (found != entries_.end()) yield = &found->yielding->yield;
  }
  if (yield != nullptr) (*yield)();
}

// --- holdings

FairShare::Holding FairShare::open(const base::Origin& origin, const ShareLimits& limits) {
  const std::lock_guard lock(mutex_);
  Entries made;  // allocate before pin() counts: allocation may fail
  made.emplace_back();
  made.front().chain = pin(origin, limits);
  made.front().limits = limits;
  made.front().number = next_number_++;
  entries_.splice(entries_.begin(), made);
  return {*this, entries_.begin()};
}

bool FairShare::has_room(const base::Origin& origin, const ShareLimits& limits,
                         std::uint64_t amount) {
  const std::lock_guard lock(mutex_);
  const Chain chain = pin(origin, limits);
  const bool room = room_for(chain, limits, 0, amount).has_value();
  unpin(chain);
  return room;
}

FairShare::Holding::Holding(Holding&& other) noexcept
    : share_(std::exchange(other.share_, nullptr)), entry_(other.entry_) {}

FairShare::Holding::~Holding() {
  if (share_ == nullptr) return;
  const std::lock_guard lock(share_->mutex_);
  share_->add(entry_->chain, 0, entry_->held);
  share_->unpin(entry_->chain);
  share_->entries_.erase(entry_);
}

std::expected<void, ShareLevel> FairShare::Holding::hold(std::uint64_t amount) {
  const std::lock_guard lock(share_->mutex_);
  return share_->hold(*entry_, amount);
}

std::uint64_t FairShare::Holding::held() const {
  const std::lock_guard lock(share_->mutex_);
  return entry_->held;
}

std::expected<void, ShareLevel> FairShare::Holding::move_to(const base::Origin& origin) {
  const std::lock_guard lock(share_->mutex_);
  const Chain chain = share_->pin(origin, entry_->limits);
  share_->add(entry_->chain, 0, entry_->held);
  const auto room = share_->room_for(chain, entry_->limits, 0, entry_->held);
  const Chain& taken = room ? chain : entry_->chain;
  const Chain left = room ? entry_->chain : chain;
  share_->add(taken, entry_->held, 0);
  entry_->chain = taken;
  share_->unpin(left);
  if (!room) return std::unexpected(room.error().used_up);
  return {};
}

void FairShare::Holding::may_yield(Yielding yielding) {
  const std::lock_guard lock(share_->mutex_);
  entry_->yielding = std::move(yielding);
  entry_->progress_at.store(share_->clock_.steady().time_since_epoch());
}

bool FairShare::Holding::has_yielded() const {
  const std::lock_guard lock(share_->mutex_);
  return entry_->has_yielded;
}

void FairShare::Holding::has_come(std::uint64_t octets) {
  entry_->waits.store(false, std::memory_order_relaxed);
  entry_->since_progress += octets;
  if (entry_->yielding && entry_->since_progress >= entry_->yielding->progress) makes_progress();
}

void FairShare::Holding::makes_progress() {
  entry_->since_progress = 0;
  entry_->progress_at.store(share_->clock_.steady().time_since_epoch());
}

// --- rates

namespace {

base::Rate doubled(base::Rate rate) {
  constexpr std::uint32_t kMost = std::numeric_limits<std::uint32_t>::max();
  rate.count = rate.count > kMost / 2 ? kMost : 2 * rate.count;
  return rate;
}

}  // namespace

bool FairRate::take(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now) {
  if (origin.network.empty()) return true;
  if (origin.wider.empty()) return table_.take(origin.network, rate, now);
  // Ask both levels before charging one.
  if (!allows(origin, rate, now)) return false;
  charge(origin, rate, now, 1);
  return true;
}

void FairRate::charge(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now,
                      double amount) {
  if (origin.network.empty()) return;
  table_.charge(origin.network, rate, now, amount);
  if (!origin.wider.empty()) table_.charge(origin.wider, doubled(rate), now, amount);
}

bool FairRate::allows(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now) {
  if (origin.network.empty()) return true;
  return table_.allows(origin.network, rate, now) &&
         (origin.wider.empty() || table_.allows(origin.wider, doubled(rate), now));
}

}  // namespace relay::inbound
