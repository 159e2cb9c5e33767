// Groups of copies whose alias has a fallback, in the rows of MemorySpool.
#pragma once

#include <optional>

#include "tests/fakes/memory_core.hpp"

namespace relay::fakes {

/// The fallback of the group may still take over.
bool stands_by(const MemoryMessage& message, std::uint16_t group);

struct GroupDecision {
  std::optional<ports::TakeOver> taken_over;
  bool is_over = false;  ///< failures count as usual
};

/// Looks at the rows as they stand now. Precondition: stands_by().
GroupDecision decide_group(MemoryCore& core, MemoryMessage& message, std::uint16_t group,
                           bool failure, bool lateness);

}  // namespace relay::fakes
