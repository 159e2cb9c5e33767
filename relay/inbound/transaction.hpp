// What a session keeps between MAIL and the end of its transaction, besides the envelope that the
// machine holds. One object, destroyed at every boundary: nothing of one message can reach the
// next.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "relay/inbound/intake.hpp"
#include "relay/inbound/policy.hpp"

namespace relay::inbound {

class Transaction {
 public:
  /// `number`: of the machine's transaction. The policy is kept to the end of the message.
  Transaction(std::uint32_t number, std::shared_ptr<const Policy> policy)
      : number_(number), policy_(std::move(policy)) {}

  std::uint32_t number() const { return number_; }

  const Policy& policy() const { return *policy_; }

  void add(forward::ResolvedRecipient recipient) {
    targets_ += recipient.copies();
    recipients_.push_back(std::move(recipient));
  }

  const std::vector<forward::ResolvedRecipient>& recipients() const { return recipients_; }

  /// Goes to an SRS address of ours.
  bool is_bounce() const { return !recipients_.empty() && recipients_.front().is_bounce; }

  /// Whom the sender stands for, where it is an SRS address of ours.
  const std::optional<mail::ReversePath>& stands_for() const { return stands_for_; }

  void set_stands_for(mail::ReversePath sender) { stands_for_ = std::move(sender); }

  std::size_t targets() const { return targets_; }  ///< copies this message would make

  /// Null: incoming mail is not verified, or no recipient was taken yet.
  auth::MessageCheck* check() const { return check_.get(); }

  void begin_check(std::unique_ptr<auth::MessageCheck> check) { check_ = std::move(check); }

  Intake& begin_content(ports::IntakeQueue& queue, ByteBudget& budget, mail::MessageId id) {
    return intake_.emplace(queue, budget, id, check_.get(), policy_->authserv_id,
                           policy_->limits.max_header);
  }

 private:
  std::uint32_t number_;
  std::shared_ptr<const Policy> policy_;
  std::vector<forward::ResolvedRecipient> recipients_;
  std::size_t targets_ = 0;
  std::optional<mail::ReversePath> stands_for_;
  std::unique_ptr<auth::MessageCheck> check_;
  std::optional<Intake> intake_;
};

}  // namespace relay::inbound
