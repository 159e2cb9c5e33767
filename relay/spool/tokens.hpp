// Stored senders behind tokens, within a quota for each client. Inside a transaction where it
// writes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "relay/mail/message.hpp"
#include "relay/spool/tally.hpp"

namespace relay::spool {

struct TokenLimits {
  std::int64_t per_client = 1000;
  std::int64_t total = 1'000'000;
};

class Tokens {
 public:
  Tokens(Connection& connection, Tally& tally, TokenLimits limits);

  /// Whether there is room for those that are not there yet.
  bool fit(const std::vector<mail::SenderToken>& tokens);

  /// One that is there lives as long as the later of the two.
  void insert(const mail::SenderToken& token);

  /// nullopt: unknown, or expired. Throws DamagedValue.
  std::optional<mail::ReversePath> find(const std::string& token, base::WallTime now);

  /// A thousand at a time, the oldest first: a clock that is wrong for a while costs no more.
  void remove_expired(base::WallTime now);

 private:
  Connection& connection_;
  Tally& tally_;
  const TokenLimits limits_;
  Statement known_, count_of_client_, insert_, prolong_, select_, delete_expired_;
};

}  // namespace relay::spool
