// How much mail may come back to SRS addresses: [srs.bounces].
#pragma once

#include <cstdint>
#include <limits>

namespace relay::forward {

/// Numbers per hour. A client is counted as its network (IPv4 /24, IPv6 /64), and the wider network
/// around that (IPv6 /48) with twice as much. Over a limit the reply is 4xx, never 5xx: a real
/// bounce comes again.
struct BounceLimits {
  std::uint32_t per_address = 100;    ///< messages to one SRS address
  std::uint32_t per_sender = 300;     ///< messages to one original sender, by any SRS address
  std::uint32_t per_client = 1000;    ///< messages from one network
  std::uint32_t bad_per_client = 20;  ///< wrong tags, and messages to addresses with weak hashes
  std::uint32_t bad_in_all = 1000;    ///< wrong tags that can be found by trying, of everybody
  std::uint32_t bad_per_taker = 100;  ///< beyond the two above, for a network that takes our mail
  std::uint32_t probes_per_client = 10'000;  ///< recipients asked for

  /// Octets of the body of a message to an SRS address. Exim returns 100 KiB by default.
  std::uint64_t max_body = 128ULL << 10;

  /// Of the limits per client: none, and nothing is counted.
  static constexpr std::uint32_t kAny = std::numeric_limits<std::uint32_t>::max();

  /// For a client exempt from limits: only those that all clients share stay.
  BounceLimits without_clients() const {
    BounceLimits lifted = *this;
    lifted.per_client = lifted.bad_per_client = lifted.probes_per_client = kAny;
    return lifted;
  }

  friend bool operator==(const BounceLimits&, const BounceLimits&) = default;
};

}  // namespace relay::forward
