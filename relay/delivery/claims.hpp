// The copies that this process has claimed, and which of them an operator has withdrawn (guarantee
// "An order stops what has not passed its dot").
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "relay/mail/message.hpp"

namespace relay::delivery {

/// Each copy is claimed at most once: waiting in memory or under way. Not thread-safe.
class Claims {
 public:
  /// What happened to copies of a message from its commit to its offer.
  struct Meanwhile {
    std::vector<std::uint16_t> withdrawn;
    std::vector<bool> passed_over;  ///< by index: take() was asked for it, for it was due

    /// Takes the withdrawn ones out of `copies`; the others are passed over no longer.
    void offer(std::vector<std::uint16_t>& copies);

    /// Something was withdrawn, or passed over and not offered: the queue is to be read.
    bool is_left() const;
  };

  /// False: the copy is claimed already, or its message is expected.
  bool take(const mail::CopyId& copy);

  /// Gives up the claim. True: the copy had been withdrawn, so its row may have changed.
  bool release(const mail::CopyId& copy);

  // From the commit to the offer of a message: take() fails for all its copies.
  void expect(const mail::MessageId& id) { expected_.try_emplace(id); }

  /// Ends that.
  Meanwhile expect_no_more(const mail::MessageId& id);

  /// The row was changed, so the copy must not leave. True: it may leave all the same, because the
  /// end of data has been sent.
  bool withdraw(const mail::CopyId& copy);

  bool is_withdrawn(const mail::CopyId& copy) const;

  /// The last check before the end of data. False: one of the copies was withdrawn; nothing has
  /// changed.
  bool enter_dot(const mail::MessageId& id, const std::vector<std::uint16_t>& indices);

  std::size_t size() const { return claims_.size(); }

 private:
  struct Claim {
    bool is_withdrawn = false;
    bool is_at_dot = false;
  };

  std::unordered_map<mail::CopyId, Claim> claims_;
  std::unordered_map<mail::MessageId, Meanwhile> expected_;
};

}  // namespace relay::delivery
