// What the operator's desk needs of the delivery side, which holds a part of the queue in memory.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "relay/mail/message.hpp"
#include "relay/ports/lane_key.hpp"
#include "relay/ports/pause_rule.hpp"

namespace relay::ports {

/// Why a copy that is due is not tried at once.
struct Waiting {
  enum class For {
    Rate,        ///< the rate limit of the risk pool
    Pause,       ///< a pause rule of the operator
    Outage,      ///< no host answered lately: the next attempt is at `until`
    Connection,  ///< no free connection, or other copies for its destination come first
  };

  For what = For::Connection;
  std::size_t copies_before = 0;
  std::size_t copies = 0;  ///< Rate: how many copies may leave within `span`
  std::chrono::seconds span{0};
  std::string text;  ///< Pause: its reason; Outage: what went wrong
};

/// Callable from any thread; never blocks.
class DeliveryControl {
 public:
  virtual ~DeliveryControl() = default;

  /// The rows of these copies were changed durably (held or ended): no attempt at them may begin,
  /// or go on to its dot. Returns how many of them the next hop may accept all the same, because
  /// their dot was already written.
  virtual std::size_t withdraw(const std::vector<mail::CopyId>& copies) = 0;

  /// Looks at the queue at once and forgets outages: the operator or a reload has changed
  /// something.
  virtual void wake() = 0;

  /// Replaces all pause rules.
  virtual void set_pauses(std::vector<PauseRule> rules) = 0;

  /// Why a waiting copy of this lane is not tried at once; nullopt: it is not due, or is being
  /// tried.
  virtual std::optional<Waiting> why_waiting(const mail::CopyId& copy, const LaneKey& lane,
                                             const std::string& alias) const = 0;
};

}  // namespace relay::ports
