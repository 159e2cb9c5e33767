// Keeps the way back from being abused. An SRS address is a permission
// to send mail to a stranger through us: everybody who saw one may use it, and with enough tries
// one can be guessed. So bounces are counted, and guessing is slowed down.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "relay/base/rate_table.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::inbound {

/// All an hour; a client is counted as its network (IPv4 /24, IPv6 /64). What is over a limit is
/// put off with a 4xx, never refused for good: a real bounce comes again.
struct BounceLimits {
  std::uint32_t per_address = 100;    ///< to one SRS address
  std::uint32_t per_sender = 300;     ///< to one original sender, under whatever SRS address
  std::uint32_t per_client = 1000;    ///< from one network
  std::uint32_t bad_per_client = 20;  ///< invalid SRS addresses, or valid ones that prove little
};

/// One bounce recipient that has been recognised.
struct BounceAddress {
  std::string address;  ///< the SRS address, folded
  std::string sender;   ///< whom it stands for, folded
  bool weak = false;    ///< its hash proves little
};

/// Thread-safe; bounded.
class BounceGuard {
 public:
  /// Before an SRS address is looked at: a client that guessed too often hears the same about
  /// every one, right or wrong.
  std::optional<smtp::Reply> objection_to(const std::string& client, const BounceLimits& limits,
                                          base::SteadyTime now);

  /// An SRS address was refused.
  void note_refused(const std::string& client, const BounceLimits& limits, base::SteadyTime now);

  /// An SRS address was recognised: takes from its budgets, or says that one is used up.
  std::optional<smtp::Reply> take(const BounceAddress& bounce, const std::string& client,
                                  const BounceLimits& limits, base::SteadyTime now);

  struct Totals {
    std::uint64_t taken = 0;
    std::uint64_t refused = 0;    ///< invalid addresses
    std::uint64_t throttled = 0;  ///< put off with a 4xx
  };

  Totals totals() const { return {taken_.load(), refused_.load(), throttled_.load()}; }

 private:
  smtp::Reply throttled();

  base::RateTable addresses_;
  base::RateTable senders_;
  base::RateTable clients_;
  base::RateTable bad_;
  std::atomic<std::uint64_t> taken_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> throttled_{0};
};

}  // namespace relay::inbound
