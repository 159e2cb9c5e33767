// What a session shows of the current transaction to the parts that decide about it.
#pragma once

#include "relay/base/task.hpp"
#include "relay/inbound/transaction.hpp"
#include "relay/mail/envelope.hpp"

namespace relay::inbound {

/// The references belong to the session, which awaits the answer: the transaction lives until then.
struct OpenMessage {
  const mail::Envelope& envelope;  ///< as far as it is known
  Transaction& transaction;
  base::Executor executor;     ///< of the session
  base::Deadline session_end;  ///< no lookup for this session takes longer

  /// The client that sends the message, as far as it is known.
  const Client& client() const { return transaction.client(); }
};

}  // namespace relay::inbound
