// A fair share of anything that clients have in common: how much may be held at once in total, by
// one client, by its network (IPv4 /24, IPv6 /64) and by the wider network around that (IPv6 /48).
// With a total alone one client could lock out all others. Who holds much and does little with it
// gives it back when others need it.
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
#include "relay/base/task.hpp"
#include "relay/ports/clock.hpp"

namespace relay::inbound {

/// In units of what is shared: connections, handshakes, or octets.
struct ShareLimits {
  std::uint64_t total = 0;
  std::uint64_t per_client = 0;  ///< 0: not limited by itself, only through its network
  std::uint64_t per_network = 0;
  /// No network may take more than what is left free for all others: n networks that take all they
  /// can in turn leave 1/(n + 1) of the total free, n that come one after the other as little as
  /// 1/2^n. The rest of its part a latecomer gets from holders that yield.
  bool leaves_room = false;

  /// Twice the share of a network, at most half of the total, at least the share of a network.
  std::uint64_t per_wider() const;
};

/// The level whose share is used up. Everybody: whoever asks holds next to nothing himself.
enum class ShareLevel { Client, Network, WiderNetwork, Everybody };

/// How a holder gives up what it holds.
struct Yielding {
  base::Executor executor;      ///< the holder's executor: `yield` is called there
  std::function<void()> yield;  ///< its holding is 0 now: it must release what it keeps
  /// Octets in FairShare::kPatience; with fewer the holder is stalled.
  std::uint64_t progress = 1;
  /// Octets in FairShare::kPatience for each unit held; with fewer the holder is slow.
  std::uint64_t progress_of_unit = 0;
};

/// The part of a network is 1/(n + 1) of what is held, where n networks hold something: so there is
/// always one that holds its part. When there is no room, it is taken from a holder that is
/// stalled, or that is slow while its network holds its part or more; of these first from the
/// stalled ones, then from the network that holds most, the biggest holding and the longest
/// silence. Only such a network yields that holds more than the one in need, or that is the same.
/// Who is counted nowhere (an empty origin) never yields. Networks are here the widest ones: /24
/// and /48.
///
/// Thread-safe. Outlives its holdings.
class FairShare {
 public:
  /// Over this time the progress of a holder is judged. It begins with may_yield(), and stands
  /// still while the holder does not wait for its client.
  static constexpr std::chrono::seconds kPatience{10};

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

  std::uint64_t held() const { return everybody_.held.load(std::memory_order_acquire); }

 private:
  /// What one client, one network, or everybody holds.
  struct Level {
    std::atomic<std::uint64_t> held{0};
    std::uint32_t holdings = 0;
    base::SteadyTime nobody_yields;  ///< when the last search found nobody here who would yield
  };

  using Levels = std::unordered_map<std::string, Level>;
  using Chain = std::array<Levels::value_type*, 3>;  ///< null: not counted at that level

  /// When enough octets had come the last time.
  struct Pace {
    std::atomic<base::SteadyTime::duration> at{};  ///< written by the holder, read by all
    std::uint64_t since = 0;                       ///< octets; touched by the holder only

    void has_come(std::uint64_t octets, std::uint64_t enough, base::SteadyTime now);
    void begin_anew(base::SteadyTime now);
    void postpone(base::SteadyTime::duration span);
    bool is_due(base::SteadyTime now) const;
  };

  struct Entry {
    Chain chain{};
    ShareLimits limits;
    std::uint64_t number = 0;
    std::atomic<std::uint64_t> held{0};  ///< changed under the mutex, read by the holder
    std::optional<Yielding> yielding;    ///< nullopt: nothing is ever taken from it
    bool has_yielded = false;
    std::atomic<bool> waits{false};  ///< written by the holder, read by all
    Pace progress;                   ///< Yielding::progress
    Pace work;                       ///< Yielding::progress_of_unit
    base::SteadyTime wait_ended;     ///< touched by the holder only
  };

  using Entries = std::list<Entry>;

  /// Why there is no room.
  struct Shortage {
    ShareLevel used_up;  ///< whose share: for the caller
    ShareLevel room_at;  ///< where room has to become free
  };

  /// From whom could be taken, and whether the one in need may have it.
  struct Found {
    Entry* worst = nullptr;
    bool anybody_yields = false;
  };

  static std::uint64_t limit_of(const ShareLimits& limits, ShareLevel level);
  Level* level_of(const Chain& chain, ShareLevel level);
  static ShareLevel widest_level_of(const Chain& chain);
  /// The wider network, else the network; null: the origin is empty.
  static Level* widest_of(const Chain& chain);
  /// Whether the widest network holds its part or more.
  bool has_its_part(const Chain& chain) const;
  Chain pin(const base::Origin& origin, const ShareLimits& limits);
  void unpin(const Chain& chain) noexcept;
  void add(const Chain& chain, std::uint64_t amount, std::uint64_t instead_of) noexcept;
  /// `own`: what the holding itself has at all levels of the chain.
  std::expected<void, Shortage> room_for(const Chain& chain, const ShareLimits& limits,
                                         std::uint64_t own, std::uint64_t more);
  std::expected<void, ShareLevel> hold(Entry& entry, std::uint64_t amount);
  /// The holding at this level that yields to somebody counted in `chain`; nullptr: none does.
  Entry* who_yields(const Chain& chain, ShareLevel level);
  Found worst_at(const Level& level, ShareLevel kind, const Level* in_need);
  bool take_from(Entry& yielding);
  void tell_to_yield(std::uint64_t number);

  ports::Clock& clock_;
  std::mutex mutex_;
  Levels levels_;  ///< by the names of base::Origin
  Level everybody_;
  std::atomic<std::uint32_t> networks_{0};  ///< widest networks that hold something
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
  bool has_its_part() const { return share_->has_its_part(entry_->chain); }

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
