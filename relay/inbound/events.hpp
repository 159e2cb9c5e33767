// The log lines of the inbound side: one per accepted message, one per refusal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "relay/base/log.hpp"
#include "relay/inbound/transaction.hpp"
#include "relay/mail/message.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::inbound {

/// A refusal, and as much as was known then. `stage`: "connect", "helo", "mail", "rcpt", "data",
/// "end-of-data" or "command".
struct Rejected {
  std::string_view stage;
  const mail::Client& client;
  const mail::Envelope* envelope = nullptr;
  std::string_view forward_path;  ///< the refused one, "" otherwise
  std::string_view through = {};  ///< as Client::through
};

base::Event rejected_event(const Rejected& rejected, const smtp::Reply& reply, base::WallTime now);

/// A message sent again, known again: `id` is the one it was given the first time.
base::Event resent_event(const mail::MessageId& id, const Client& client, base::WallTime now);

/// `verdicts`: of a message that was refused for what they say.
base::Event verdicts_event(const Client& client, const forward::Evidence& evidence,
                           base::WallTime now);

/// `received`. `through` as Client::through.
base::Event received_event(const mail::QueuedMessage& queued,
                           const std::vector<forward::ResolvedRecipient>& recipients,
                           const std::optional<forward::Evidence>& evidence,
                           std::string_view through = {});

/// `sender_not_stored`: the quota of that sender's kind is used up (SenderToken::counted_under).
base::Event sender_not_stored_event(const mail::MessageId& id, const mail::SenderToken& sender,
                                    base::WallTime now);

/// `discarded` and `too_large`: copies that have ended before they came. `told`: the sender hears
/// of those that were too large.
std::vector<base::Event> ended_events(const mail::QueuedMessage& queued, bool told);

}  // namespace relay::inbound
