// The part of the queue's database that greylisting uses: who came, when, and whether that is
// enough. Keys are digests made by the caller; nothing here knows addresses.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>

#include "relay/base/task.hpp"
#include "relay/ports/spool_error.hpp"

namespace relay::ports {

struct GreylistKey {
  std::string sender;   ///< digest of network, reverse-path and forward-path
  std::string network;  ///< digest of the network alone
  /// Digest of the widest network (IPv4 /24, IPv6 /48), whose share of the rows a visit uses.
  std::string counted_under;
};

struct GreylistRules {
  std::chrono::seconds delay{300};                ///< a visit after this time passes
  std::chrono::seconds retry_window{2 * 86'400};  ///< a visit later than this is a first one
  std::chrono::seconds remember{36 * 86'400};     ///< since the last visit of one that has passed
  std::uint32_t trusted_after = 5;                ///< passes that a network needs, `delay` apart
  bool takes_new = true;  ///< false: first visits are answered First, but not stored
};

enum class GreylistAnswer {
  First,           ///< never seen, or too long ago
  TooSoon,         ///< came again before the delay was over
  Passed,          ///< has waited long enough: this visit is the first to pass
  Known,           ///< has passed before
  TrustedNetwork,  ///< other visits of this network have passed often enough
};

constexpr bool must_wait(GreylistAnswer answer) {
  return answer == GreylistAnswer::First || answer == GreylistAnswer::TooSoon;
}

inline constexpr std::uint32_t kFewVisits = 8;

/// Bounded: half of the rows are for visits that wait, half for those that have passed. When no row
/// is free, the oldest visit of the network with most rows is dropped; where no network has more
/// than kFewVisits, the oldest of all. So a flood of new visits displaces none that has passed, and
/// one from few networks only itself. Implementations pass tests/spool/greylist_contract_test.cpp
/// (guarantee "The greylist is bounded").
class GreylistStore {
 public:
  virtual ~GreylistStore() = default;

  /// Records a visit and answers it. Written to disk with the next commit: a visit lost in a power
  /// cut costs one delay, while a sync for each visit would cost more.
  virtual base::Task<std::expected<GreylistAnswer, SpoolError>> see(GreylistKey key,
                                                                    GreylistRules rules) = 0;
};

}  // namespace relay::ports
