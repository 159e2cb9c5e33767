// What the operator's desk asks of the delivery side, which holds a part of the queue in memory.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "relay/mail/message.hpp"
#include "relay/ports/delivery_queue.hpp"
#include "relay/ports/operator_queue.hpp"

namespace relay::ports {

/// Why a copy that is due is not tried at once.
struct Waiting {
  enum class For {
    Rate,        ///< of the risk pool
    Pause,       ///< the operator's rule
    Outage,      ///< nothing answered lately: the next try comes at `until`
    Connection,  ///< places, or other copies of its destination, before it
  };

  For what = For::Connection;
  std::size_t copies_before = 0;
  std::size_t copies = 0;  ///< Rate: that may leave within `span`
  std::chrono::seconds span{0};
  std::string text;  ///< Pause: its reason; Outage: what was the matter
};

/// All of it from any thread; nothing blocks.
class DeliveryControl {
 public:
  virtual ~DeliveryControl() = default;

  /// The rows of these copies were changed, and that is durable: none of them is begun, or goes on
  /// before its dot. Returns how many of them the next hop may take all the same, because their dot
  /// is written.
  virtual std::size_t withdraw(const std::vector<mail::CopyId>& copies) = 0;

  /// Look at the queue now and forget outages: the operator or a reload changed something.
  virtual void wake() = 0;

  /// The rules that hold from now on, instead of those given before.
  virtual void set_pauses(std::vector<PauseRule> rules) = 0;

  /// Of a waiting copy in this lane; nullopt: it is not due, or is being tried.
  virtual std::optional<Waiting> why_waiting(const mail::CopyId& copy, const LaneKey& lane,
                                             const std::string& alias) const = 0;
};

}  // namespace relay::ports
