// Stored senders behind tokens, counted by whose quota they use. Inside a transaction where it
// writes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "relay/mail/message.hpp"
#include "relay/spool/tally.hpp"

namespace relay::spool {

class Tokens {
 public:
  /// `most`: of all.
  Tokens(Connection& connection, Tally& tally, std::int64_t most);

  /// See ports::TokenStore.
  bool has_room(const mail::SenderToken& token);

  /// One that is there lives as long as the later of the two.
  void insert(const mail::SenderToken& token);

  /// nullopt: unknown, or expired. Throws DamagedValue.
  std::optional<mail::ReversePath> find(const std::string& token, base::WallTime now);

  /// A thousand at a time, the oldest first: a clock that is wrong for a while costs no more.
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
