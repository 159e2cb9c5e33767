// Limits how many recipients may be asked for, whatever the answers (guarantee "RCPT without end is
// put off"): a client that sends RCPT after RCPT costs lookups and rows of the greylist, and learns
// which addresses exist.
#pragma once

#include <cstdint>
#include <optional>

#include "relay/base/origin.hpp"
#include "relay/base/rate_table.hpp"
#include "relay/inbound/fair_rate.hpp"
#include "relay/inbound/fair_share.hpp"

namespace relay::inbound {

/// RCPT commands. A count of 0: no limit, save that a client or network never has more than a
/// quarter of the total.
struct AttemptLimits {
  base::Rate total;  ///< of everybody
  base::Rate per_client;
  base::Rate per_network;
};

/// Attempts are charged when they are made, because most of a flood succeeds at nothing, and given
/// back when the mail is taken, so that senders of much mail owe next to nothing. Thread-safe;
/// bounded.
class RcptAttempts {
 public:
  /// When the total is used up, a client that owes less than this part of its share is still
  /// answered, so that many networks together cannot keep out others.
  static constexpr double kLittle = 0.1;

  /// Charges one attempt. The result: the level whose share is used up, Network also for the wider
  /// network; then nothing is charged, so that a client that goes on asking gets what its rate
  /// allows. An empty origin is not counted.
  std::optional<ShareLevel> take(const base::Origin& origin, const AttemptLimits& limits,
                                 base::SteadyTime now);

  /// Takes that many attempts back. Allocates nothing.
  void give_back(const base::Origin& origin, std::uint32_t attempts, const AttemptLimits& limits,
                 base::SteadyTime now);

 private:
  FairRate clients_{FairRate::kMaxKeys, RateOf::Client};
  FairRate networks_;
  base::RateTable everybody_{1};
};

}  // namespace relay::inbound
