// Keeps the way back from being abused. An SRS address is a permission to send mail to a stranger
// through us: everybody who saw one may use it, and some can be guessed with enough tries. So what
// comes back is counted when its content is taken, and guessing is slowed down. Asking is not
// doing: who only asks whether an address lives, as mail systems do to verify senders, has a budget
// of his own, and no guess of others makes a right answer wrong. Hosts that take our mail verify
// its senders: their networks are answered when strangers have used up all guesses.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "relay/base/rate_table.hpp"
#include "relay/base/recent_keys.hpp"
#include "relay/inbound/fair_share.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::inbound {

/// All an hour; a client is counted as its network (IPv4 /24, IPv6 /64), and
/// the wider one around it with twice as much (IPv6 /48). What is over a limit is
/// put off with a 4xx, never refused for good: a real bounce comes again.
struct BounceLimits {
  std::uint32_t per_address = 100;           ///< to one SRS address
  std::uint32_t per_sender = 300;            ///< to one original sender, under whatever address
  std::uint32_t per_client = 1000;           ///< from one network
  std::uint32_t bad_per_client = 20;         ///< guesses, and addresses that prove little
  std::uint32_t bad_in_all = 1000;           ///< guesses of everybody
  std::uint32_t bad_per_taker = 100;         ///< beyond these, of a network that takes our mail
  std::uint32_t probes_per_client = 10'000;  ///< recipients that were asked for

  /// For a client that is not counted: what all of them share is left.
  BounceLimits without_clients() const {
    constexpr std::uint32_t any = std::numeric_limits<std::uint32_t>::max();
    BounceLimits lifted = *this;
    lifted.per_client = lifted.bad_per_client = lifted.probes_per_client = any;
    return lifted;
  }
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
  /// For how long a network is known as one that takes our mail.
  static constexpr std::chrono::days kTakerMemory{5};

  /// A host of this network took a message under one of our addresses.
  void note_taker(const base::Origin& network, base::SteadyTime now);

  /// A live SRS address was asked for.
  std::optional<smtp::Reply> probe(const base::Origin& client, const BounceLimits& limits,
                                   base::SteadyTime now);

  /// Was an address asked for whose tag could be found by trying? Where too many were tried, by
  /// this client or by everybody, each such address hears the same, right or wrong; but networks
  /// that take our mail have an allowance of their own then.
  std::optional<smtp::Reply> objection_to_guessable(const base::Origin& client,
                                                    const BounceLimits& limits,
                                                    base::SteadyTime now);

  /// An SRS address with a wrong tag was asked for. A reply: instead of the refusal, see above. Of
  /// tags that nobody finds by trying only the client's own count: they use up nothing that others
  /// share, and what others have used up is nothing to them.
  std::optional<smtp::Reply> note_guess(const base::Origin& client, bool guessable,
                                        const BounceLimits& limits, base::SteadyTime now);

  /// A message has come back by an SRS address: takes from its budgets, or says that one is used
  /// up.
  std::optional<smtp::Reply> take(const BounceAddress& bounce, const base::Origin& client,
                                  const BounceLimits& limits, base::SteadyTime now);

  struct Totals {
    std::uint64_t taken = 0;
    std::uint64_t refused = 0;    ///< wrong tags
    std::uint64_t throttled = 0;  ///< put off with a 4xx
  };

  Totals totals() const { return {taken_.load(), refused_.load(), throttled_.load()}; }

 private:
  smtp::Reply throttled();
  /// Whether the guesses that all share are not used up, nor those of this client.
  bool guesses_last(const base::Origin& client, const BounceLimits& limits, base::SteadyTime now);
  /// Takes one of the client's own, or of what a network that takes our mail has beside. False:
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
