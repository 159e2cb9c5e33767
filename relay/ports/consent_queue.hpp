// Copies that are held until their targets consent to get mail from here.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "relay/base/task.hpp"
#include "relay/ports/awaiting_copy.hpp"
#include "relay/ports/spool_error.hpp"

namespace relay::ports {

/// Implementations pass tests/spool/consent_contract_test.cpp.
class ConsentQueue {
 public:
  virtual ~ConsentQueue() = default;

  /// Counts, for each of these addresses, the copies that wait for its consent; returns the highest
  /// count.
  virtual base::Task<std::expected<std::uint64_t, SpoolError>> awaiting(
      std::vector<std::string> addresses) = 0;

  /// Copies that wait for anybody's consent, in the order (awaits, id, index), those after `after`;
  /// at most `limit`.
  virtual base::Task<std::expected<std::vector<AwaitingCopy>, SpoolError>> awaiting_copies(
      std::optional<AwaitingCopy> after, std::size_t limit) = 0;

  /// Releases those of the copies that still wait for consent, due at once; returns how many.
  virtual base::Task<std::expected<std::uint64_t, SpoolError>> release(
      std::vector<AwaitingCopy> copies) = 0;
};

}  // namespace relay::ports
