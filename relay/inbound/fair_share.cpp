#include "relay/inbound/fair_share.hpp"

#include <algorithm>
#include <chrono>
#include <new>
#include <tuple>
#include <utility>

#include <boost/asio/post.hpp>

namespace relay::inbound {

namespace {

// After a search has found nobody who would yield, the next search at that level waits this long.
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
  const auto named = chain.at(index_of(widest_level_of(chain)));
  return named == nullptr ? nullptr : &named->second;
}

bool FairShare::has_its_part(const Chain& chain) const {
  const Level* const widest = widest_of(chain);
  const std::uint64_t parts = networks_.load(std::memory_order_relaxed) + 1ULL;
  return widest != nullptr &&
         widest->held.load(std::memory_order_relaxed) >= std::max(held() / parts, 1UL);
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
    const std::uint64_t now_held = held - instead_of + amount;
    counted->held.store(now_held, std::memory_order_release);
    if (counted != widest_of(chain) || (held == 0) == (now_held == 0)) continue;
    networks_ += held == 0 ? 1U : -1U;
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
    Entry* const yielding = who_yields(entry.chain, room.error().room_at);
    if (yielding == nullptr || !take_from(*yielding)) return std::unexpected(room.error().used_up);
  }
  add(entry.chain, amount, entry.held);
  entry.held = amount;
  return {};
}

// --- taking from holders

FairShare::Entry* FairShare::who_yields(const Chain& chain, ShareLevel level) {
  Level& full = *level_of(chain, level);
  const base::SteadyTime now = clock_.steady();
  if (now - full.nobody_yields < kLookAgain) return nullptr;
  const Found found = worst_at(full, level, widest_of(chain));
  // Somebody who yields to others only must not keep those from looking.
  if (!found.anybody_yields) full.nobody_yields = now;
  return found.worst;
}

FairShare::Found FairShare::worst_at(const Level& level, ShareLevel kind, const Level* in_need) {
  using Rank = std::tuple<bool, std::uint64_t, std::uint64_t, base::SteadyTime::duration>;
  const base::SteadyTime now = clock_.steady();
  Found found;
  std::optional<Rank> worst;
  for (Entry& entry : entries_) {
    const Level* const network = widest_of(entry.chain);
    if (entry.held == 0 || !entry.yielding || !entry.waits.load() || network == nullptr) continue;
    if (level_of(entry.chain, kind) != &level) continue;
    const bool stalled = entry.progress.is_due(now);
    const bool slow = entry.work.is_due(now) && has_its_part(entry.chain);
    if (!stalled && !slow) continue;
    found.anybody_yields = true;
    const std::uint64_t less = in_need == nullptr ? 0 : in_need->held.load();
    if (network != in_need && network->held <= less) continue;
    const Rank rank(stalled, network->held, entry.held,
                    now.time_since_epoch() - entry.progress.at.load());
    if (worst && rank < *worst) continue;
    worst = rank;
    found.worst = &entry;
  }
  return found;
}

bool FairShare::take_from(Entry& yielding) {
  try {
    boost::asio::post(yielding.yielding->executor,
                      [this, number = yielding.number] { tell_to_yield(number); });
  } catch (const std::bad_alloc&) {
    return false;  // the holder could not be told, so nothing is taken
  }
  yielding.has_yielded = true;
  add(yielding.chain, 0, yielding.held);
  yielding.held = 0;
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
  const auto room = room_for(chain, limits, 0, amount);
  const bool given = room || who_yields(chain, room.error().room_at) != nullptr;
  unpin(chain);
  return given;
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
  completes();
}

bool FairShare::Holding::has_yielded() const {
  const std::lock_guard lock(share_->mutex_);
  return entry_->has_yielded;
}

void FairShare::Holding::begins_to_wait() {
  const auto busy = share_->clock_.steady() - entry_->wait_ended;
  entry_->progress.postpone(busy);
  entry_->work.postpone(busy);
  entry_->waits.store(true, std::memory_order_release);
}

void FairShare::Holding::has_come(std::uint64_t octets) {
  entry_->waits.store(false, std::memory_order_relaxed);
  const base::SteadyTime now = share_->clock_.steady();
  entry_->wait_ended = now;
  if (octets == 0 || !entry_->yielding) return;
  const Yielding& needed = *entry_->yielding;
  entry_->progress.has_come(octets, needed.progress, now);
  const std::uint64_t of_all = needed.progress_of_unit * entry_->held;
  entry_->work.has_come(octets, std::max(needed.progress, of_all), now);
}

void FairShare::Holding::makes_progress() { entry_->progress.begin_anew(share_->clock_.steady()); }

void FairShare::Holding::completes() {
  const base::SteadyTime now = share_->clock_.steady();
  entry_->progress.begin_anew(now);
  entry_->work.begin_anew(now);
  entry_->wait_ended = now;
}

// --- progress

void FairShare::Pace::has_come(std::uint64_t octets, std::uint64_t enough, base::SteadyTime now) {
  since += octets;
  if (since >= enough) begin_anew(now);
}

void FairShare::Pace::begin_anew(base::SteadyTime now) {
  since = 0;
  at.store(now.time_since_epoch(), std::memory_order_relaxed);
}

void FairShare::Pace::postpone(base::SteadyTime::duration span) {
  at.store(at.load(std::memory_order_relaxed) + span, std::memory_order_relaxed);
}

bool FairShare::Pace::is_due(base::SteadyTime now) const {
  return now - base::SteadyTime(at.load(std::memory_order_relaxed)) >= kPatience;
}

}  // namespace relay::inbound
