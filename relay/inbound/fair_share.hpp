// A fair share of anything that clients have in common: how much may be held at once in total, by
// one client, by its network (IPv4 /24, IPv6 /64) and by the wider network around that (IPv6 /48);
// and how often something may be done. With a total alone one client could lock out all others.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "relay/base/origin.hpp"
#include "relay/base/rate_table.hpp"
#include "relay/base/task.hpp"
#include "relay/ports/clock.hpp"

namespace relay::inbound {

/// In units of what is shared: connections, handshakes, or octets.
struct ShareLimits {
  std::uint64_t total = 0;
  std::uint64_t per_client = 0;  ///< 0: not limited by itself, only through its network
  std::uint64_t per_network = 0;
  /// No network may hold more than what is free for all others: with n networks that take all they
  /// can, 1/(n + 1) of the total stays free.
  bool leaves_room = false;

  /// Twice the share of a network, at most half of the total, at least the share of a network.
  std::uint64_t per_wider() const;
};

/// The level whose share is used up. Everybody: whoever asks holds next to nothing himself.
enum class ShareLevel { Client, Network, WiderNetwork, Everybody };

/// How a holder that is stalled gives up what it holds.
struct Yielding {
  base::Executor executor;      ///< the holder's executor: `yield` is called there
  std::function<void()> yield;  ///< its holding is 0 now: it must release what it keeps
  std::uint64_t progress = 1;  ///< octets in FairShare::kPatience; with fewer the holder is stalled
};

/// Thread-safe. Outlives its holdings.
class FairShare {
 public:
  /// A holder that waits for its client this long without progress is stalled: when room is needed,
  /// it is taken from stalled holders.
  static constexpr std::chrono::seconds kPatience{10};

  explicit FairShare(ports::Clock& clock) : clock_(clock) {}

  FairShare(const FairShare&) = delete;
  FairShare& operator=(const FairShare&) = delete;
  ~FairShare() = default;

  class Holding;

  /// A holding of 0 for one party. `limits` stay as given here. An empty origin is counted in the
  /// total only.
  Holding open(const base::Origin& origin, const ShareLimits& limits);

  /// Whether a new holding of `amount` would find room.
  bool has_room(const base::Origin& origin, const ShareLimits& limits, std::uint64_t amount);

  std::uint64_t held() const { return everybody_.held.load(std::memory_order_acquire); }

 private:
  /// What one client, one network, or everybody holds.
  struct Level {
    std::atomic<std::uint64_t> held{0};
    std::uint32_t holdings = 0;
    base::SteadyTime nobody_stalled;  ///< when the last search found no stalled holding here
  };

  using Levels = std::unordered_map<std::string, Level>;
  using Chain = std::array<Levels::value_type*, 3>;  ///< null: not counted at that level

  struct Entry {
    Chain chain{};
    ShareLimits limits;
    std::uint64_t number = 0;
    std::uint64_t held = 0;
    std::optional<Yielding> yielding;  ///< nullopt: nothing is ever taken from it
    bool has_yielded = false;
    // Written by the holder, read by other threads in worst_at().
    std::atomic<bool> waits{false};
    std::atomic<base::SteadyTime::duration> progress_at{};
    std::uint64_t since_progress = 0;  ///< octets; touched by the holder only
  };

  using Entries = std::list<Entry>;

  /// Why there is no room.
  struct Shortage {
    ShareLevel used_up;  ///< whose share: for the caller
    ShareLevel room_at;  ///< where room has to become free
  };

  static std::uint64_t limit_of(const ShareLimits& limits, ShareLevel level);
  Level* level_of(const Chain& chain, ShareLevel level);
  static ShareLevel widest_level_of(const Chain& chain);
  /// The wider network, else the network; null: the origin is empty.
  Level* widest_of(const Chain& chain);
  Chain pin(const base::Origin& origin, const ShareLimits& limits);
  void unpin(const Chain& chain) noexcept;
  void add(const Chain& chain, std::uint64_t amount, std::uint64_t instead_of) noexcept;
  /// `own`: what the holding itself has at all levels of the chain.
  std::expected<void, Shortage> room_for(const Chain& chain, const ShareLimits& limits,
                                         std::uint64_t own, std::uint64_t more);
  std::expected<void, ShareLevel> hold(Entry& entry, std::uint64_t amount);
  /// Takes from one stalled holding that uses room at this level. False: there is none.
  bool make_room(const Entry& entry, ShareLevel level);
  Entry* worst_at(const Level& level, ShareLevel kind, base::SteadyTime now);
  bool take_from(Entry& stalled);
  void tell_to_yield(std::uint64_t number);

  ports::Clock& clock_;
  std::mutex mutex_;
  Levels levels_;  ///< by the names of base::Origin
  Level everybody_;
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

  /// Allows taking the holding away while its holder is stalled.
  void may_yield(Yielding yielding);

  bool has_yielded() const;

  /// The holder begins to wait for its client.
  void begins_to_wait() { entry_->waits.store(true, std::memory_order_relaxed); }

  /// The wait is over: the client has sent `octets`.
  void has_come(std::uint64_t octets);

  /// Counts as progress without octets: the holder itself was busy.
  void makes_progress();

 private:
  friend class FairShare;

  Holding(FairShare& share, Entries::iterator entry) : share_(&share), entry_(entry) {}

  FairShare* share_;
  Entries::iterator entry_;
};

/// How often something may be done, per network: each has the rate, and a wider network twice that.
/// An empty origin is not counted. Thread-safe; bounded.
class FairRate {
 public:
  explicit FairRate(std::size_t max_keys = 16'384) : table_(max_keys) {}

  // See base::RateTable.

  bool take(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now);
  void charge(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now,
              double amount);
  bool allows(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now);

  std::size_t size() const { return table_.size(); }

 private:
  base::RateTable table_;
};

}  // namespace relay::inbound
