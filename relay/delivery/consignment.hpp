// The copies that one attempt is about, and what became of them.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "relay/delivery/group.hpp"
#include "relay/delivery/host_list.hpp"
#include "relay/mail/message.hpp"
#include "relay/ports/spool_error.hpp"

namespace relay::delivery {

/// Copies of one message in one lane that leave with the same octets and sender.
struct Consignment {
  std::shared_ptr<const mail::QueuedMessage> queued;
  std::vector<std::size_t> copies;  ///< positions in queued->recipients
  std::shared_ptr<const HostList> hosts;
  std::shared_ptr<const Policy> policy;
};

/// What became of one copy.
struct CopyResult {
  /// nullopt: the copy was not tried and is unchanged.
  std::optional<mail::Outcome> outcome;
  std::vector<mail::DeliveryAttempt> before;  ///< replies of hosts tried before, in order
  std::vector<mail::DeliveryAttempt> faults;  ///< replies that blame our sequence of commands
};

struct AttemptReport {
  std::vector<CopyResult> copies;  ///< in the order of Consignment::copies
  Feedback feedback;
  std::optional<ports::SpoolError> spool_error;  ///< applies to the copies without an outcome
  std::chrono::milliseconds connecting{0};
  std::chrono::milliseconds sending{0};
};

/// Asked whether these copies may still leave. `at_dot`: right before the end of data, after which
/// the server may take them.
using Gate = std::function<bool(const std::vector<std::uint16_t>& indices, bool at_dot)>;

}  // namespace relay::delivery
