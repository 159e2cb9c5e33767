// The operator's pauses: kept by the queue, in force at the delivery side, and taken away when
// their time is over.
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
#include "relay/ports/operator_queue.hpp"

namespace relay::ops {

/// Lives on one shard.
class PauseBook {
 public:
  PauseBook(ports::OperatorQueue& queue, ports::DeliveryControl& delivery, ports::Clock& clock)
      : queue_(queue), delivery_(delivery), clock_(clock) {}

  /// Reads the rules that are stored and puts them in force. Before the first delivery begins: what
  /// is paused would leave otherwise.
  base::Task<std::expected<void, ports::SpoolError>> restore();

  /// Until it is cancelled: reads them again whenever the time of one is over, and every few
  /// seconds while that fails. Rules stay in force until then.
  base::Task<> keep();

  /// In force when it returns.
  base::Task<std::expected<ports::PauseRule, ports::SpoolError>> pause(
      ports::PauseRule::Kind kind, std::string value, std::string reason,
      std::optional<std::chrono::milliseconds> span);

  /// What was taken away; nullopt: there was no such rule.
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
  base::Bell bell_;                      ///< a rule came that may end before all others
  std::vector<ports::PauseRule> rules_;  ///< by kind and value
  std::uint64_t changes_ = 0;            ///< made by pause() and resume()
};

}  // namespace relay::ops
