// The operator's pauses: stored in the queue, enforced by the delivery side, and removed when their
// time is over.
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "relay/base/bell.hpp"
#include "relay/base/task.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/delivery_control.hpp"
#include "relay/ports/pause_rule.hpp"
#include "relay/ports/spool_error.hpp"

namespace relay::ports {
class OperatorQueue;
}

namespace relay::ops {

/// Belongs to one shard.
class PauseBook {
 public:
  PauseBook(ports::OperatorQueue& queue, ports::DeliveryControl& delivery, ports::Clock& clock)
      : queue_(queue), delivery_(delivery), clock_(clock) {}

  /// Reads the stored rules and puts them in force. Call before the first delivery, so that paused
  /// mail does not leave.
  base::Task<std::expected<void, ports::SpoolError>> restore();

  /// Runs until cancelled: reads the rules again whenever one ends, and every few seconds while
  /// reading fails. Rules stay in force until then.
  base::Task<> keep();

  /// The rule is in force when this returns.
  base::Task<std::expected<ports::PauseRule, ports::SpoolError>> pause(
      ports::PauseRule::Kind kind, std::string value, std::string reason,
      std::optional<std::chrono::milliseconds> span);

  /// Returns the removed rule; nullopt: there was no such rule.
  base::Task<std::expected<std::optional<ports::PauseRule>, ports::SpoolError>> resume(
      ports::PauseRule::Kind kind, std::string value);

  const std::vector<ports::PauseRule>& rules() const { return rules_; }

 private:
  void replace(ports::PauseRule rule);
  std::optional<ports::PauseRule> take(ports::PauseRule::Kind kind, const std::string& value);
  void put_in_force();
  base::SteadyTime next_look() const;

  ports::OperatorQueue& queue_;
  ports::DeliveryControl& delivery_;
  ports::Clock& clock_;
  base::Bell bell_;  ///< wakes keep(): a rule may end before all others, or the store failed
  std::vector<ports::PauseRule> rules_;  ///< by kind and value
  std::uint64_t changes_ = 0;            ///< number of changes by pause() and resume()
};

}  // namespace relay::ops
