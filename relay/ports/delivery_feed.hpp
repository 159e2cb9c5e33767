#pragma once

#include <memory>
#include <string>

#include "relay/mail/message.hpp"

namespace relay::ports {

/// A message that has just become durable, with its content where that is small: the first attempt
/// then needs nothing from the disk.
struct FreshMessage {
  mail::QueuedMessage queued;
  std::shared_ptr<const std::string> content;  ///< null when it must be read from the spool
};

/// How the intake tells the delivery side that there is work. Never blocks, callable from any
/// shard; dropping the call loses nothing, for the queue on disk is what counts.
class DeliveryFeed {
 public:
  virtual ~DeliveryFeed() = default;
  virtual void offer(FreshMessage fresh) = 0;
};

}  // namespace relay::ports
