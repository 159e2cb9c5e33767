// A fair share of anything that clients have in common: how much may be held at once in total, by
// one client, by its network (IPv4 /24, IPv6 /64) and by the wider network around that (IPv6 /48).
// With a total alone one client could lock out all others (guarantee "Nobody uses up what all
// share"). When there is nothing left for others, a client that holds much and makes no progress
// loses its part (guarantee "Who holds much and does little gives it back").
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <list>
#include <mutex>
#include <optional>

#include "relay/base/origin.hpp"
#include "relay/base/task.hpp"
#include "relay/inbound/holder_progress.hpp"
#include "relay/inbound/tally.hpp"
#include "relay/ports/clock.hpp"

namespace relay::inbound {

/// How a holder gives up what it holds.
struct Yielding {
  base::Executor executor;      ///< the holder's executor: `yield` is called there
  std::function<void()> yield;  ///< its holding is 0 now: it must release what it keeps
  /// Octets in FairShare::kPatience; with fewer the holder is stalled.
  std::uint64_t progress = 1;
  /// Octets in FairShare::kPatience for each unit held; with fewer the holder is slow.
  std::uint64_t progress_of_unit = 0;
};

/// When there is no room, it is taken from a holder that is stalled, or that is slow while its
/// network holds its part or more; of these first from the stalled ones, then from the network that
/// holds most, the biggest holding and the longest silence. Only such a network yields that holds
/// more than the one in need, or that is the same. Who is counted nowhere (an empty origin) never
/// yields. Networks are here the widest ones: /24 and /48.
///
/// Thread-safe. Outlives its holdings.
class FairShare {
 public:
  /// Over this time the progress of a holder is judged; it begins with may_yield().
  static constexpr std::chrono::seconds kPatience = HolderProgress::kPatience;

  explicit FairShare(ports::Clock& clock) : clock_(clock) {}

  FairShare(const FairShare&) = delete;
  FairShare& operator=(const FairShare&) = delete;
  ~FairShare() = default;

  class Holding;

  /// A holding of 0 for one party. `limits` stay as given here. An empty origin is counted in the
  /// total only.
  Holding open(const base::Origin& origin, const ShareLimits& limits);

  /// Whether a new holding of `amount` would find room, or would be given it. Takes nothing.
  bool has_room(const base::Origin& origin, const ShareLimits& limits, std::uint64_t amount);

  std::uint64_t held() const { return tally_.held(); }

 private:
  struct Entry {
    Tally::Chain chain{};
    ShareLimits limits;
    std::uint64_t number = 0;
    std::atomic<std::uint64_t> held{0};  ///< changed under the mutex, read by the holder
    std::optional<Yielding> yielding;    ///< nullopt: nothing is ever taken from it
    bool has_yielded = false;
    HolderProgress progress;
  };

  using Entries = std::list<Entry>;

  /// From whom could be taken, and whether the one in need may have it.
  struct Found {
    Entry* worst = nullptr;
    bool anybody_yields = false;
  };

  std::expected<void, ShareLevel> hold(Entry& entry, std::uint64_t amount);
  /// The holding at this level that yields to somebody counted in `chain`; nullptr: none does.
  Entry* who_yields(const Tally::Chain& chain, ShareLevel level);
  Found worst_at(const Tally::Count& full, ShareLevel level, const Tally::Count* in_need);
  bool take_from(Entry& yielding);
  void tell_to_yield(std::uint64_t number);

  ports::Clock& clock_;
  std::mutex mutex_;
  Tally tally_;
  Entries entries_;
  std::uint64_t next_number_ = 1;
};

/// Gives back what is held when destroyed. Movable; belongs to one task.
class FairShare::Holding {
 public:
  Holding(Holding&& other) noexcept;
  Holding& operator=(Holding&&) = delete;
  ~Holding();

  /// Holds `amount` from here on, be it more or less than before. On error nothing has changed.
  /// After has_yielded() only 0 is granted; the error is Client then.
  std::expected<void, ShareLevel> hold(std::uint64_t amount);

  std::uint64_t held() const;

  /// Counts the holding for another origin. On error nothing has changed.
  std::expected<void, ShareLevel> move_to(const base::Origin& origin);

  /// Allows taking the holding away. From here on the holder's progress is judged.
  void may_yield(Yielding yielding);

  bool has_yielded() const;

  /// The network holds its part or more.
  bool has_its_part() const { return share_->tally_.has_its_part(entry_->chain); }

  /// The holder begins to wait for its client.
  void begins_to_wait();

  /// The wait is over: the client has sent `octets` that count.
  void has_come(std::uint64_t octets);

  /// Counts like Yielding::progress octets, for a stalled holder only: work is measured in octets.
  void makes_progress();

  /// Counts as progress and as work.
  void completes();

 private:
  friend class FairShare;

  Holding(FairShare& share, Entries::iterator entry) : share_(&share), entry_(entry) {}

  FairShare* share_;
  Entries::iterator entry_;
};

}  // namespace relay::inbound
