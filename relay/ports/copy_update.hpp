// What an attempt changed, and what the store made of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "relay/mail/message.hpp"

namespace relay::ports {

/// What the sender is to be told about an update.
enum class Notify : std::uint8_t { Nobody, OfFailure, OfDelay };

/// What one attempt changed about one copy.
struct CopyUpdate {
  std::uint16_t index = 0;
  /// The claim: attempts and changes of the copy, Waiting, as load() gave it for this attempt. Two
  /// attempts never begin with the same number, so a late or repeated result is recognised by it;
  /// the changes show that the operator has decided anew meanwhile.
  std::uint32_t attempts_before = 0;
  std::uint32_t changes_before = 0;
  mail::RecipientState state = mail::RecipientState::Waiting;  ///< Held: its stored data is damaged
  std::chrono::milliseconds retry_after{0};                    ///< while Waiting
  mail::End end = mail::End::None;  ///< how it ended; None while it is not final
  bool possible_duplicate = false;
  bool warned = false;   ///< the delay was handled; it need not be checked for that again
  bool overdue = false;  ///< it has waited so long that a fallback takes over
  /// One for each host tried, in order; the last is decisive. Not empty.
  std::vector<mail::DeliveryAttempt> attempts;
  Notify notify = Notify::Nobody;
};

/// The outcome of an attempt at copies of one message: one transaction. The transaction that ends a
/// copy also writes its notice, so a failure is never recorded without the DSN owed for it.
struct Update {
  mail::MessageId id;
  std::vector<CopyUpdate> copies;
};

/// What the store did with one CopyUpdate.
enum class Recorded : std::uint8_t {
  Yes,          ///< recorded as given
  DespiteHold,  ///< delivered although it was held meanwhile: that cannot be undone
  StaysHeld,    ///< the attempt is recorded, but the copy stays held, as was decided meanwhile
  StaysDue,     ///< the same of a copy that was released or retried meanwhile: it stays due
  TooLate,      ///< the copy has ended, or another attempt was recorded: nothing was changed
};

/// Whether the copy is now in the state that the update gives it.
constexpr bool counts(Recorded recorded) {
  return recorded == Recorded::Yes || recorded == Recorded::DespiteHold;
}

/// The fallback of an alias has taken over. The transaction that records the last failure, or that
/// nothing was delivered in time, also ends the waiting copies and makes those of the fallback due:
/// a DSN is owed only when these fail, too.
struct TakeOver {
  std::string alias;                    ///< the forward-path, as text
  std::vector<std::uint16_t> replaced;  ///< copies that waited, and were ended
  std::vector<std::string> targets;     ///< of the fallback's copies, as text; due at once
  bool was_late = false;                ///< nothing was delivered in time; else all others failed
};

struct RecordAnswer {
  std::vector<Recorded> copies;  ///< one for each CopyUpdate
  bool message_ended = false;    ///< no copy of the message is left that has not ended
  std::vector<TakeOver> taken_over = {};
};

}  // namespace relay::ports
