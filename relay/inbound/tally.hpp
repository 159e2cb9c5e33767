// What is held of something that clients have in common: by one client, by its network, by the
// wider network around that, and by all together; and whether there is room for more.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <expected>
#include <string>
#include <unordered_map>

#include "relay/base/origin.hpp"
#include "relay/base/time.hpp"

namespace relay::inbound {

/// In units of what is shared: connections, handshakes, or octets.
struct ShareLimits {
  std::uint64_t total = 0;
  std::uint64_t per_client = 0;  ///< 0: not limited by itself, only through its network
  std::uint64_t per_network = 0;
  /// No network may take more than what it leaves free for all others. If n networks take turns in
  /// taking all they can, 1/(n + 1) of the total stays free; if they come one after the other, as
  /// little as 1/2^n. A latecomer gets the rest of its part from holders that yield.
  bool leaves_room = false;

  /// Twice the share of a network, at most half of the total, at least the share of a network.
  std::uint64_t per_wider() const;
};

/// The level whose share is used up. Everybody: the holder that asks has next to nothing itself.
enum class ShareLevel { Client, Network, WiderNetwork, Everybody };

/// Whoever changes it holds a lock; held() and has_its_part() may be asked without.
class Tally {
 public:
  /// What one client, one network, or everybody holds.
  struct Count {
    std::atomic<std::uint64_t> held{0};
    std::uint32_t holdings = 0;
    base::SteadyTime nobody_yields;  ///< FairShare: when a search found nobody here who would
  };

  using Counts = std::unordered_map<std::string, Count>;
  using Chain = std::array<Counts::value_type*, 3>;  ///< null: not counted at that level

  /// Why there is no room.
  struct Shortage {
    ShareLevel used_up;  ///< whose share: for the caller
    ShareLevel room_at;  ///< where room has to become free
  };

  /// The counts for a client of this origin, which exist until unpin().
  Chain pin(const base::Origin& origin, const ShareLimits& limits);
  void unpin(const Chain& chain) noexcept;

  void add(const Chain& chain, std::uint64_t amount, std::uint64_t instead_of) noexcept;

  /// `own`: what the holding itself has at all levels of the chain.
  std::expected<void, Shortage> room_for(const Chain& chain, const ShareLimits& limits,
                                         std::uint64_t own, std::uint64_t more);

  /// Null: not counted at that level.
  Count* count_of(const Chain& chain, ShareLevel level);

  /// The wider network, else the network; null: the origin is empty.
  static Count* widest_of(const Chain& chain);

  /// Whether the widest network holds its part or more: 1/(n + 1) of what is held, where n networks
  /// hold something. So there is always one that holds its part.
  bool has_its_part(const Chain& chain) const;

  std::uint64_t held() const { return everybody_.held.load(std::memory_order_acquire); }

 private:
  Counts counts_;  ///< by the names of base::Origin
  Count everybody_;
  std::atomic<std::uint32_t> networks_{0};  ///< widest networks that hold something
};

}  // namespace relay::inbound
