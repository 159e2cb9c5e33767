// What a session shows of the message that is coming in to those who decide about it.
#pragma once

#include "relay/base/task.hpp"
#include "relay/inbound/transaction.hpp"
#include "relay/mail/envelope.hpp"

namespace relay::inbound {

/// References are the session's, which awaits the answer: the transaction does not end meanwhile.
struct OpenMessage {
  const mail::Envelope& envelope;  ///< so far
  Transaction& transaction;
  base::Executor executor;     ///< of the session
  base::Deadline session_end;  ///< nothing asked for this session takes longer

  /// Who sends it, as far as is known so far.
  const Client& client() const { return transaction.client(); }
};

}  // namespace relay::inbound
