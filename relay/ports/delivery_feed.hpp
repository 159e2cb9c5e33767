#pragma once

#include <memory>
#include <string>

#include "relay/mail/message.hpp"

namespace relay::ports {

/// A message that has just become durable, with its content where that is small: the first attempt
/// then needs nothing from the disk.
struct FreshMessage {
  mail::QueuedMessage queued;
  std::shared_ptr<const std::string> content;  ///< null when it must be read from the queue
};

/// How the intake tells the delivery side that there is work. Never blocks, callable from any
/// shard. A message is expected before it is committed, so that whoever looks at the queue between
/// the commit and the offer leaves it to the offer: it would be delivered twice otherwise.
class DeliveryFeed {
 public:
  virtual ~DeliveryFeed() = default;

  /// Before the commit: until offer() or give_up() nobody else begins with this message.
  virtual void expect(const mail::MessageId& id) = 0;

  /// After the commit. Without room in memory the message is found in the queue later.
  virtual void offer(FreshMessage fresh) = 0;

  /// Instead of offer(): the commit failed, or nobody knows whether it did.
  virtual void give_up(const mail::MessageId& id) noexcept = 0;
};

/// Expects a message as long as it lives, unless it is offered.
class ExpectedMessage {
 public:
  ExpectedMessage(DeliveryFeed& feed, const mail::MessageId& id) : feed_(feed), id_(id) {
    feed_.expect(id_);
  }

  ~ExpectedMessage() {
    if (!offered_) feed_.give_up(id_);
  }

  ExpectedMessage(const ExpectedMessage&) = delete;
  ExpectedMessage& operator=(const ExpectedMessage&) = delete;

  /// `fresh` is the message that was expected, and is durable.
  void offer(FreshMessage fresh) {
    feed_.offer(std::move(fresh));
    offered_ = true;  // behind it: what could not be offered, for want of memory, is given up
  }

 private:
  DeliveryFeed& feed_;
  const mail::MessageId id_;
  bool offered_ = false;
};

}  // namespace relay::ports
