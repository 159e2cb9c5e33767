// What greylisting asks of the queue's database: who came, when, and whether that is enough. Keys
// are digests made by the caller; nothing here knows addresses.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>

#include "relay/base/task.hpp"
#include "relay/ports/spool_error.hpp"

namespace relay::ports {

struct GreylistKey {
  std::string sender;   ///< of network, reverse-path and forward-path
  std::string network;  ///< of the network alone
  /// Of the widest network (IPv4 /24, IPv6 /48): whose share of the rows a visit uses.
  std::string counted_under;
};

struct GreylistRules {
  std::chrono::seconds delay{300};                ///< who comes again after it has passed
  std::chrono::seconds retry_window{2 * 86'400};  ///< who comes again later than this is new
  std::chrono::seconds remember{36 * 86'400};     ///< since the last visit of who has passed
  std::uint32_t trusted_after = 5;                ///< times a network has to pass, `delay` apart
  bool takes_new = true;  ///< false: a first visit is answered as such, and not noted
};

enum class GreylistAnswer {
  First,           ///< never seen, or too long ago
  TooSoon,         ///< came again before the delay was over
  Passed,          ///< has waited: just now
  Known,           ///< has passed before
  TrustedNetwork,  ///< others of this network have, often enough
};

constexpr bool must_wait(GreylistAnswer answer) {
  return answer == GreylistAnswer::First || answer == GreylistAnswer::TooSoon;
}

inline constexpr std::uint32_t kFewVisits = 8;

/// Bounded: half of the room is for those who wait, half for those who have passed. When there is
/// none, the oldest visit goes of whoever has most; where nobody has more than kFewVisits, the
/// oldest of all. So a flood of strangers pushes out itself, neither the known nor other strangers.
/// Implementations pass tests/spool/greylist_contract.
class GreylistStore {
 public:
  virtual ~GreylistStore() = default;

  /// Notes a visit and says whether it is welcome. Goes to the disk with what is committed next: a
  /// visit forgotten in a power cut costs a delay, a sync for each would cost more.
  virtual base::Task<std::expected<GreylistAnswer, SpoolError>> see(GreylistKey key,
                                                                    GreylistRules rules) = 0;
};

}  // namespace relay::ports
