// One notion of a fair share, for all that clients have to share: how much of it may be held at
// once, in total, by a client, by its network (IPv4 /24, IPv6 /64) and by the wider network around
// that (IPv6 /48); and how often something may be done. A total alone would let one lock out all.
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

/// In units of what is shared: connections, handshakes, octets.
struct ShareLimits {
  std::uint64_t total = 0;
  std::uint64_t per_client = 0;  ///< 0: as its network
  std::uint64_t per_network = 0;
  /// No network holds more than what is left for all others: with n that take all they can get,
  /// one part of n + 1 stays free.
  bool leaves_room = false;

  /// Twice the share of a network, but no more than half of the whole; nor less than the network.
  std::uint64_t per_wider() const;
};

/// Whose share is used up.
enum class ShareLevel { Client, Network, WiderNetwork, Everybody };

/// What can be asked of a holder that keeps something and sends nothing.
struct Yielding {
  base::Executor executor;      ///< of the holder: `yield` is called there
  std::function<void()> yield;  ///< what it held was taken away, and should be given up now
  std::uint64_t progress = 1;   ///< octets in FairShare::kPatience: with fewer it sends nothing
};

/// Thread-safe. Outlives its holdings.
class FairShare {
 public:
  /// Who sends nothing for so long goes first when there is no room.
  static constexpr std::chrono::seconds kPatience{10};

  explicit FairShare(ports::Clock& clock) : clock_(clock) {}

  FairShare(const FairShare&) = delete;
  FairShare& operator=(const FairShare&) = delete;
  ~FairShare() = default;

  class Holding;

  /// What one party holds: nothing yet. The limits are those it was promised; of an empty origin
  /// the total alone counts.
  Holding open(const base::Origin& origin, const ShareLimits& limits);

  /// Whether somebody new could hold so much.
  bool has_room(const base::Origin& origin, const ShareLimits& limits, std::uint64_t amount);

  std::uint64_t held() const { return everybody_.held.load(std::memory_order_acquire); }

 private:
  /// All that a client, a network or everybody holds.
  struct Level {
    std::atomic<std::uint64_t> held{0};
    std::uint32_t holdings = 0;
    base::SteadyTime nobody_stalled;  ///< at that time
  };

  using Levels = std::unordered_map<std::string, Level>;
  using Chain = std::array<Levels::value_type*, 3>;  ///< null: not counted

  struct Entry {
    Chain chain{};
    ShareLimits limits;
    std::uint64_t number = 0;
    std::uint64_t held = 0;
    std::optional<Yielding> yielding;  ///< nullopt: never asked
    bool has_yielded = false;
    // Written by the holder, read by whoever looks for room.
    std::atomic<bool> waits{false};
    std::atomic<base::SteadyTime::duration> progress_at{};
    std::uint64_t since_progress = 0;  ///< octets; the holder's own
  };

  using Entries = std::list<Entry>;

  static std::uint64_t limit_of(const ShareLimits& limits, ShareLevel level);
  Level* level_of(const Chain& chain, ShareLevel level);
  /// The wider network, or the network where there is none; null: neither.
  Level* widest_of(const Chain& chain);
  Chain pin(const base::Origin& origin, const ShareLimits& limits);
  void unpin(const Chain& chain) noexcept;
  void add(const Chain& chain, std::uint64_t amount, std::uint64_t instead_of) noexcept;
  std::expected<void, ShareLevel> room_for(const Chain& chain, const ShareLimits& limits,
                                           std::uint64_t more);
  std::expected<void, ShareLevel> hold(Entry& entry, std::uint64_t amount);
  /// Takes from somebody who stands in the way at this level and sends nothing. False: nobody does.
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

/// Given back when it dies. Movable; belongs to one task.
class FairShare::Holding {
 public:
  Holding(Holding&& other) noexcept;
  Holding& operator=(Holding&&) = delete;
  ~Holding();

  /// Holds `amount` from now on, be it more or less than before. No room: nothing has changed.
  /// Who has been taken from gets nothing any more.
  std::expected<void, ShareLevel> hold(std::uint64_t amount);

  std::uint64_t held() const;

  /// Belongs to another origin from now on. No room there: nothing has changed.
  std::expected<void, ShareLevel> move_to(const base::Origin& origin);

  /// From now on it can be taken away, while its holder waits for the client.
  void may_yield(Yielding yielding);

  bool has_yielded() const;

  /// The holder begins to wait for its client.
  void begins_to_wait() { entry_->waits.store(true, std::memory_order_relaxed); }

  /// The wait is over: the client has sent so many octets.
  void has_come(std::uint64_t octets);

  /// As if enough had come: the holder was busy on its own.
  void makes_progress();

 private:
  friend class FairShare;

  Holding(FairShare& share, Entries::iterator entry) : share_(&share), entry_(entry) {}

  FairShare* share_;
  Entries::iterator entry_;
};

/// How often something may be done, by networks: each has the rate, and a wider network twice that.
/// An empty origin is not counted. Thread-safe; bounded.
class FairRate {
 public:
  explicit FairRate(std::size_t max_keys = 16'384) : table_(max_keys) {}

  // As those of base::RateTable.

  bool take(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now);
  void charge(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now,
              double amount);
  bool allows(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now);

  std::size_t size() const { return table_.size(); }

 private:
  base::RateTable table_;
};

}  // namespace relay::inbound
