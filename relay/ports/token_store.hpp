// Senders that do not fit into an SRS address, which then carries an opaque token. Tokens are
// stored in the transaction that accepts the message (NewMessage::tokens).
#pragma once

#include <expected>
#include <string>

#include "relay/base/task.hpp"
#include "relay/mail/envelope.hpp"
#include "relay/mail/message.hpp"
#include "relay/ports/spool_error.hpp"

namespace relay::ports {

/// Implementations pass tests/spool/token_contract_test.cpp.
class TokenStore {
 public:
  virtual ~TokenStore() = default;

  /// The sender behind a token; NotFound when it is unknown or has expired.
  virtual base::Task<std::expected<mail::ReversePath, SpoolError>> find(std::string token) = 0;

  /// Whether the token exists already, or its quota (SenderToken::most) and that of the whole store
  /// have room for it. Ask before the commit of the message that brings it; the commit does not
  /// check. So messages that come at the same moment may exceed the quota a little.
  virtual base::Task<std::expected<bool, SpoolError>> has_room(mail::SenderToken token) = 0;
};

}  // namespace relay::ports
