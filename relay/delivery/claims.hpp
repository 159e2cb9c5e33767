// Which copies this process has in hand, and which of them are not to leave any more.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "relay/mail/message.hpp"

namespace relay::delivery {

/// A copy is in one hand at a time: waiting in memory or under way. Not thread-safe.
class Claims {
 public:
  /// False: somebody has it, or its message is expected.
  bool take(const mail::CopyId& copy);

  /// The copy goes back. True: it had been withdrawn, so its row may say anything by now.
  bool release(const mail::CopyId& copy);

  // A message between its commit and its offer: nobody else may begin with it.
  void expect(const mail::MessageId& id) { expected_.try_emplace(id); }

  /// Ends that; the copies that were withdrawn meanwhile.
  std::vector<std::uint16_t> expect_no_more(const mail::MessageId& id);

  /// The row was changed: the copy is not to leave. True: it may leave all the same, its dot is
  /// written.
  bool withdraw(const mail::CopyId& copy);

  bool is_withdrawn(const mail::CopyId& copy) const;

  /// The point of no return. False, and nothing is changed: one of the copies was withdrawn.
  bool enter_dot(const mail::MessageId& id, const std::vector<std::uint16_t>& indices);

  std::size_t size() const { return claims_.size(); }

 private:
  struct Claim {
    bool is_withdrawn = false;
    bool is_at_dot = false;
  };

  std::unordered_map<mail::CopyId, Claim> claims_;
  std::unordered_map<mail::MessageId, std::vector<std::uint16_t>> expected_;
};

}  // namespace relay::delivery
