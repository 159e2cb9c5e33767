// The part of the queue's database that greylisting uses: who came, when, and whether that is
// enough. Keys are digests made by the caller; nothing here knows addresses.
#pragma once

#include <cstdint>
#include <expected>

#include "relay/base/task.hpp"
#include "relay/ports/greylist_visit.hpp"
#include "relay/ports/spool_error.hpp"

namespace relay::ports {

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
