// Limits abuse of SRS addresses (guarantees "An SRS address takes bounces, within limits" and
// "Guesses at SRS tags are limited"). Whoever has seen one can send mail through us to the sender
// behind it, and some can be guessed with enough tries. Therefore messages to SRS addresses are
// counted when their content is taken, and wrong tags are limited. Recipients that are only asked
// for, as sender verification does, have a budget of their own (probe). Guesses of one client never
// make another client's right address a wrong one: they delay it with 4xx. Hosts that take our mail
// verify its senders, so their networks keep an allowance when all guesses are used up.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "relay/base/rate_table.hpp"
#include "relay/base/recent_keys.hpp"
#include "relay/forward/bounce_limits.hpp"
#include "relay/inbound/fair_rate.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::inbound {

using forward::BounceLimits;

/// One SRS recipient whose tag is right.
struct BounceAddress {
  std::string address;  ///< the SRS address, folded
  std::string sender;   ///< the sender it stands for, folded
  bool weak = false;    ///< its tag proves little
};

/// Thread-safe; bounded.
class BounceGuard {
 public:
  /// A network counts as one that takes our mail for so long after the last message it took.
  static constexpr std::chrono::days kTakerMemory{5};

  /// A host of this network took a message with one of our SRS addresses as sender.
  void note_taker(const base::Origin& network, base::SteadyTime now);

  /// Charges RCPT with a valid SRS address; the reply if too many were asked for.
  std::optional<smtp::Reply> probe(const base::Origin& client, const BounceLimits& limits,
                                   base::SteadyTime now);

  /// For an SRS address whose tag could be found by trying, as recipient or as sender. When this
  /// client or all clients together have used up their guesses, every such address gets the same
  /// 4xx, right or wrong, so that nothing is learned; a network that takes our mail then has an
  /// allowance of its own.
  std::optional<smtp::Reply> objection_to_guessable(const base::Origin& client,
                                                    const BounceLimits& limits,
                                                    base::SteadyTime now);

  /// Charges a wrong tag. The result replaces the refusal: the 4xx of objection_to_guessable() if
  /// guesses are used up. A tag that cannot be found by trying (not `guessable`) is counted against
  /// this client alone: it does not use up the shared count, and is not limited by it.
  std::optional<smtp::Reply> note_guess(const base::Origin& client, bool guessable,
                                        const BounceLimits& limits, base::SteadyTime now);

  /// Charges a message to an SRS address, or says that a limit is used up.
  std::optional<smtp::Reply> take(const BounceAddress& bounce, const base::Origin& client,
                                  const BounceLimits& limits, base::SteadyTime now);

  struct Totals {
    std::uint64_t taken = 0;
    std::uint64_t refused = 0;    ///< wrong tags refused
    std::uint64_t throttled = 0;  ///< answered with 4xx
  };

  Totals totals() const { return {taken_.load(), refused_.load(), throttled_.load()}; }

 private:
  smtp::Reply throttled();
  /// Whether guesses are left, both of this client and of all clients together.
  bool guesses_last(const base::Origin& client, const BounceLimits& limits, base::SteadyTime now);
  /// Charges the client's own count, else the extra one of a network that takes our mail. False:
  /// both are used up.
  bool take_own(const base::Origin& client, const BounceLimits& limits, base::SteadyTime now);
  void charge_guess(const base::Origin& client, const BounceLimits& limits, base::SteadyTime now);

  base::RateTable addresses_;
  base::RateTable senders_;
  FairRate clients_;
  FairRate bad_;
  base::RateTable bad_in_all_;
  FairRate bad_of_takers_;
  base::RecentKeys takers_{kTakerMemory};
  FairRate probes_;
  std::atomic<std::uint64_t> taken_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> throttled_{0};
};

}  // namespace relay::inbound
