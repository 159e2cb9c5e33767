#pragma once

#include <memory>
#include <string>

#include "relay/mail/message.hpp"

namespace relay::ports {

/// A message that has just become durable, with times by the store's clock. Small content comes
/// with it, so that the first attempt need not read the disk.
struct FreshMessage {
  mail::QueuedMessage queued;
  std::shared_ptr<const std::string> content;  ///< null when it must be read from the queue
};

/// How the intake tells the delivery side about new messages. Never blocks, callable from any
/// shard. A message is announced before it is committed: otherwise a reader of the queue could find
/// it between commit and offer, and it would be delivered twice.
class DeliveryFeed {
 public:
  virtual ~DeliveryFeed() = default;

  /// Call before the commit: until offer() or give_up() no other reader of the queue may begin with
  /// this message.
  virtual void expect(const mail::MessageId& id) = 0;

  /// Call after the commit. When memory has no room for it, the message is found in the queue
  /// later.
  virtual void offer(FreshMessage fresh) = 0;

  /// Call instead of offer() when the commit failed, or when it is unknown whether it did.
  virtual void give_up(const mail::MessageId& id) noexcept = 0;
};

/// Announces a message, and gives it up on destruction unless it was offered.
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

  /// Precondition: `fresh` is the announced message, and durable.
  void offer(FreshMessage fresh) {
    feed_.offer(std::move(fresh));
    offered_ = true;  // set last: when the offer throws for lack of memory, the message is given up
  }

 private:
  DeliveryFeed& feed_;
  const mail::MessageId id_;
  bool offered_ = false;
};

}  // namespace relay::ports
