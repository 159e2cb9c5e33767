// Notices that are owed to senders, and the DSNs that pay them.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "relay/mail/message.hpp"
#include "relay/ports/copy_update.hpp"
#include "relay/ports/new_message.hpp"

namespace relay::ports {

/// A failure or a delay about which the sender has not been told.
struct Notice {
  std::uint16_t index = 0;
  Notify kind = Notify::OfFailure;
  mail::Route route;
  mail::DeliveryAttempt attempt;  ///< the last attempt
  mail::End end = mail::End::None;
  base::WallTime waiting_since;  ///< arrival, or the release of a held copy
};

/// Everything needed to write a DSN.
struct Notices {
  mail::QueuedMessage queued;   ///< the message with all its copies, including ended ones
  std::vector<Notice> notices;  ///< by index; not empty
};

/// Replaces notices by the DSNs that report them, in one transaction. `dsns` may be empty: nobody
/// may be told, and the log says why.
struct Report {
  mail::MessageId id;
  std::vector<std::pair<std::uint16_t, Notify>> notices;  ///< those that the DSNs report
  std::vector<NewMessage> dsns;
  /// The sender hears of a delay: the one notice of delay that a message has. A delay told only to
  /// the postmaster, or not at all, leaves that notice to a later delay.
  bool tells_sender_of_delay = false;
};

}  // namespace relay::ports
