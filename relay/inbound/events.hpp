// The log events of the inbound side: one per accepted message, one per refusal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "relay/base/log.hpp"
#include "relay/inbound/intake.hpp"
#include "relay/inbound/transaction.hpp"
#include "relay/mail/message.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::inbound {

/// Who spoke, and in which session. Events of one session bear the same number, those of one
/// message the same `msg_id`, whether it was accepted or not.
struct Dialogue {
  const mail::Client& client;
  std::string_view through = {};  ///< as Client::through
  std::uint64_t session = 0;      ///< 0: the client got none
};

Dialogue dialogue_of(const Transaction& transaction);

/// A refusal and what was known then. `stage`: "connect", "helo", "starttls", "tls", "mail",
/// "rcpt", "data", "end-of-data" or "command".
struct Rejected {
  std::string_view stage;
  Dialogue dialogue;
  const mail::Envelope* envelope = nullptr;
  std::string_view forward_path =
      {};                           ///< at RCPT: the recipient it is about, as far as it is known
  const Intake* content = nullptr;  ///< as much as has come; null: none yet
  bool is_trouble_here = false;     ///< see HostTroubles: the operator has to act
};

/// The stage of a command line that is refused.
std::string_view stage_of(std::string_view line);

/// What stands behind "RCPT TO:" in a command line, which may be no path at all; "" for other
/// commands.
std::string_view recipient_in(std::string_view line);

base::Event rejected_event(const Rejected& rejected, const smtp::Reply& reply, base::WallTime now);

/// `resent`: the client sent an accepted message again. `id`: of the first time.
base::Event resent_event(const mail::MessageId& id, const Dialogue& dialogue, base::WallTime now);

/// `verdicts`: the results of verification of a message that was refused.
base::Event verdicts_event(const mail::MessageId& id, const Dialogue& dialogue,
                           const forward::Evidence& evidence, base::WallTime now);

/// `received`.
base::Event received_event(const mail::QueuedMessage& queued,
                           const std::vector<forward::ResolvedRecipient>& recipients,
                           const std::optional<forward::Evidence>& evidence,
                           const Dialogue& dialogue, base::WallTime now);

/// `sender_not_stored`: the quota under SenderToken::counted_under is used up.
base::Event sender_not_stored_event(const mail::MessageId& id, const mail::SenderToken& sender,
                                    base::WallTime now);

/// `discarded` and `too_large`: copies that ended on acceptance. `told`: the sender gets a DSN for
/// those that were too large.
std::vector<base::Event> ended_events(const mail::QueuedMessage& queued, bool told,
                                      base::WallTime now);

}  // namespace relay::inbound
