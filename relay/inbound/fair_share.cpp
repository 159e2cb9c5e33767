#include "relay/inbound/fair_share.hpp"

#include <algorithm>
#include <new>
#include <tuple>
#include <utility>

#include <boost/asio/post.hpp>

namespace relay::inbound {

namespace {

// After a search that found no holder to yield, the next search at that level waits this long.
constexpr std::chrono::milliseconds kLookAgain{100};
}  // namespace

std::expected<void, ShareLevel> FairShare::hold(Entry& entry, std::uint64_t amount) {
  if (entry.has_yielded && amount > 0) return std::unexpected(ShareLevel::Client);
  while (amount > entry.held) {
    const auto room = tally_.room_for(entry.chain, entry.limits, entry.held, amount - entry.held);
    if (room) break;
    Entry* const yielding = who_yields(entry.chain, room.error().room_at);
    if (yielding == nullptr || !take_from(*yielding)) return std::unexpected(room.error().used_up);
  }
  tally_.add(entry.chain, amount, entry.held);
  entry.held = amount;
  return {};
}

FairShare::Entry* FairShare::who_yields(const Tally::Chain& chain, ShareLevel level) {
  Tally::Count& full = *tally_.count_of(chain, level);
  const base::SteadyTime now = clock_.steady();
  if (now - full.nobody_yields < kLookAgain) return nullptr;
  const Found found = worst_at(full, level, Tally::widest_of(chain));
  // Somebody who yields to others only must not keep those from looking.
  if (!found.anybody_yields) full.nobody_yields = now;
  return found.worst;
}

FairShare::Found FairShare::worst_at(const Tally::Count& full, ShareLevel level,
                                     const Tally::Count* in_need) {
  using Rank = std::tuple<bool, std::uint64_t, std::uint64_t, base::SteadyTime::duration>;
  const base::SteadyTime now = clock_.steady();
  Found found;
  std::optional<Rank> worst;
  for (Entry& entry : entries_) {
    const Tally::Count* const network = Tally::widest_of(entry.chain);
    const bool may_yield = entry.held > 0 && entry.yielding && entry.progress.waits();
    if (!may_yield || network == nullptr) continue;
    if (tally_.count_of(entry.chain, level) != &full) continue;
    const bool stalled = entry.progress.is_stalled(now);
    const bool slow = entry.progress.is_slow(now) && tally_.has_its_part(entry.chain);
    if (!stalled && !slow) continue;
    found.anybody_yields = true;
    const std::uint64_t less = in_need == nullptr ? 0 : in_need->held.load();
    if (network != in_need && network->held <= less) continue;
    const Rank rank(stalled, network->held, entry.held, entry.progress.silence(now));
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
  tally_.add(yielding.chain, 0, yielding.held);
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

FairShare::Holding FairShare::open(const base::Origin& origin, const ShareLimits& limits) {
  const std::lock_guard lock(mutex_);
  Entries made;  // allocate before pin() counts: allocation may fail
  made.emplace_back();
  made.front().chain = tally_.pin(origin, limits);
  made.front().limits = limits;
  made.front().number = next_number_++;
  entries_.splice(entries_.begin(), made);
  return {*this, entries_.begin()};
}

bool FairShare::has_room(const base::Origin& origin, const ShareLimits& limits,
                         std::uint64_t amount) {
  const std::lock_guard lock(mutex_);
  const Tally::Chain chain = tally_.pin(origin, limits);
  const auto room = tally_.room_for(chain, limits, 0, amount);
  const bool given = room || who_yields(chain, room.error().room_at) != nullptr;
  tally_.unpin(chain);
  return given;
}

FairShare::Holding::Holding(Holding&& other) noexcept
    : share_(std::exchange(other.share_, nullptr)), entry_(other.entry_) {}

FairShare::Holding::~Holding() {
  if (share_ == nullptr) return;
  const std::lock_guard lock(share_->mutex_);
  share_->tally_.add(entry_->chain, 0, entry_->held);
  share_->tally_.unpin(entry_->chain);
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
  const Tally::Chain chain = share_->tally_.pin(origin, entry_->limits);
  share_->tally_.add(entry_->chain, 0, entry_->held);
  const auto room = share_->tally_.room_for(chain, entry_->limits, 0, entry_->held);
  const Tally::Chain& taken = room ? chain : entry_->chain;
  const Tally::Chain left = room ? entry_->chain : chain;
  share_->tally_.add(taken, entry_->held, 0);
  entry_->chain = taken;
  share_->tally_.unpin(left);
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
  entry_->progress.begins_to_wait(share_->clock_.steady());
}

void FairShare::Holding::has_come(std::uint64_t octets) {
  const base::SteadyTime now = share_->clock_.steady();
  entry_->progress.ends_to_wait(now);
  if (octets == 0 || !entry_->yielding) return;
  const Yielding& needed = *entry_->yielding;
  const std::uint64_t of_all = needed.progress_of_unit * entry_->held;
  entry_->progress.has_come(octets, needed.progress, std::max(needed.progress, of_all), now);
}

void FairShare::Holding::makes_progress() {
  entry_->progress.makes_progress(share_->clock_.steady());
}

void FairShare::Holding::completes() { entry_->progress.completes(share_->clock_.steady()); }

}  // namespace relay::inbound
