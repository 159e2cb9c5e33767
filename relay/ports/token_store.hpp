// Senders that do not fit into an SRS address, behind opaque tokens. They are stored in the
// transaction that accepts the message (NewMessage::tokens).
#pragma once

#include <expected>
#include <string>

#include "relay/base/task.hpp"
#include "relay/mail/envelope.hpp"
#include "relay/ports/spool_error.hpp"

namespace relay::ports {

/// Implementations pass tests/spool/token_contract.
class TokenStore {
 public:
  virtual ~TokenStore() = default;

  /// The sender behind a token; NotFound when it is unknown or has expired.
  virtual base::Task<std::expected<mail::ReversePath, SpoolError>> find(std::string token) = 0;
};

}  // namespace relay::ports
