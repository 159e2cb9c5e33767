// The queue as the operator sees it. Everything is text as it is stored, so a damaged row can be
// shown and acted upon like any other. Listings and changes go in slices, so that no call keeps the
// store from accepting mail for long.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "relay/base/task.hpp"
#include "relay/mail/message.hpp"
#include "relay/ports/pause_rule.hpp"
#include "relay/ports/queue_filter.hpp"
#include "relay/ports/queue_rows.hpp"
#include "relay/ports/spool_error.hpp"

namespace relay::ports {

/// Implementations pass tests/spool/operator_contract_test.cpp.
class OperatorQueue {
 public:
  virtual ~OperatorQueue() = default;

  virtual base::WallTime now() const noexcept = 0;

  /// Copies that have not ended, those after `after`; at most `limit`, and fewer when many rows had
  /// to be examined. A filter with an id finds its copies without examining others.
  virtual base::Task<std::expected<QueuePage, SpoolError>> list(QueueFilter filter,
                                                                std::optional<mail::CopyId> after,
                                                                std::size_t limit) = 0;

  /// All copies of a message by index, including ended ones. NotFound when the message is gone.
  virtual base::Task<std::expected<std::vector<QueueRow>, SpoolError>> copies(
      mail::MessageId id) = 0;

  /// The recorded attempts of a message, the oldest first.
  virtual base::Task<std::expected<std::vector<AttemptRow>, SpoolError>> attempts(
      mail::MessageId id) = 0;

  /// Content chunk `sequence`; "" after the last.
  virtual base::Task<std::expected<std::string, SpoolError>> read(mail::MessageId id,
                                                                  std::uint32_t sequence) = 0;

  /// Applies the action to the next matching copies after `after`, in one transaction. It is made
  /// to take 20 ms at most: a slice is smaller when the last one took longer. `reason` is stored
  /// with copies that end. Every action clears the consent that a copy waits for, except Retry,
  /// which does not touch held copies.
  virtual base::Task<std::expected<ChangedSlice, SpoolError>> change(
      QueueFilter filter, QueueAction action, std::string reason,
      std::optional<mail::CopyId> after) = 0;

  virtual base::Task<std::expected<QueueTotals, SpoolError>> totals() = 0;

  /// Sets a rule, or replaces the one of the same kind and value. `span`: how long it holds;
  /// nullopt: until it is removed.
  virtual base::Task<std::expected<PauseRule, SpoolError>> pause(
      PauseRule::Kind kind, std::string value, std::string reason,
      std::optional<std::chrono::milliseconds> span) = 0;

  /// Removes a rule. False: there is no such rule.
  virtual base::Task<std::expected<bool, SpoolError>> resume(PauseRule::Kind kind,
                                                             std::string value) = 0;

  /// The rules in force; removes those whose time is over.
  virtual base::Task<std::expected<std::vector<PauseRule>, SpoolError>> pauses() = 0;
};

}  // namespace relay::ports
