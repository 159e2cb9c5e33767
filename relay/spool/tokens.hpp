// Stored senders, found by token and counted by quota. Writing functions run inside a transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "relay/mail/message.hpp"
#include "relay/spool/tally.hpp"

namespace relay::spool {

class Tokens {
 public:
  /// `most`: of all quotas together.
  Tokens(Connection& connection, Tally& tally, std::int64_t most);

  /// See ports::TokenStore.
  bool has_room(const mail::SenderToken& token);

  /// A token stored already gets the later of both expiry times.
  void insert(const mail::SenderToken& token, base::WallTime now);

  /// nullopt: unknown, or expired. Throws DamagedValue.
  std::optional<mail::ReversePath> find(const std::string& token, base::WallTime now);

  /// Removes up to a thousand, the oldest first: so a clock that is wrong for a while removes no
  /// more.
  void remove_expired(base::WallTime now);

 private:
  std::int64_t count_of(const std::string& counted_under);
  void count_one(const std::string& counted_under);

  Connection& connection_;
  Tally& tally_;
  const std::int64_t most_;
  Statement known_, count_, insert_, count_one_, prolong_, select_, count_down_, forget_counts_,
      delete_expired_;
};

}  // namespace relay::spool
