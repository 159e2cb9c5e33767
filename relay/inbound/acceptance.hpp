// The last step of a message's arrival: check, route, sign, make durable, and only then say 250.
#pragma once

#include <optional>
#include <utility>

#include "relay/base/task.hpp"
#include "relay/inbound/services.hpp"
#include "relay/inbound/transaction.hpp"
#include "relay/mail/envelope.hpp"
#include "relay/smtp/data_reader.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::inbound {

/// A message whose content has come in completely. The references are the caller's, who awaits.
struct ArrivedMessage {
  const mail::Envelope& envelope;
  const mail::Client& client;
  const Transaction& transaction;
  Intake& intake;
  auth::MessageCheck* check = nullptr;  ///< null: incoming mail is not verified
  smtp::ContentFault fault = smtp::ContentFault::None;
};

struct Acceptance {
  smtp::EndOfDataReply reply;
  /// Of an accepted message: to know it again if the client never hears of it.
  std::optional<std::pair<ResendKey, ports::CommitProof>> unheard;
};

/// Accepts the message (durable, offered for delivery, logged as `received`) or says why not.
/// Nothing of a refused message stays. A message sent again because our 250 was lost is accepted as
/// what it is, without a second copy.
base::Task<Acceptance> accept_message(Services& services, ArrivedMessage arrived);

}  // namespace relay::inbound
