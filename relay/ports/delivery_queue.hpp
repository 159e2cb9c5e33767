// The queue as the delivery side sees it: which copies are due, what became of them, and the
// notices owed to senders. Made for several processes on any store: callers pass delays, and the
// store's clock gives the time; the result of an attempt counts only if the copy is unchanged since
// it began.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "relay/base/task.hpp"
#include "relay/mail/message.hpp"
#include "relay/ports/intake_queue.hpp"
#include "relay/ports/spool_error.hpp"

namespace relay::ports {

/// The copies for one target domain that leave by one pool. Listings are sorted by these fields.
struct LaneKey {
  std::string domain;  ///< folded
  bool risk_pool = false;

  friend auto operator<=>(const LaneKey&, const LaneKey&) = default;
};

/// A lane that holds waiting copies.
struct WaitingLane {
  LaneKey key;
  std::chrono::milliseconds due_in{0};  ///< until its earliest copy is due; zero or less: it is due
};

/// A waiting copy that is due.
struct DueCopy {
  mail::CopyId copy;
  LaneKey lane;
  std::string alias;        ///< the forward-path as the client gave it, as text
  base::WallTime next_due;  ///< by the store's clock; with `copy` the place in a listing
};

/// Where a listing of due copies continues: after this key.
struct DueCursor {
  base::WallTime next_due;
  mail::CopyId copy;
};

/// A page of a listing of due copies. It may be short or empty although more pages follow.
struct DuePage {
  std::vector<DueCopy> copies;
  std::optional<DueCursor> next;  ///< nullopt: this was the last page
};

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

/// Implementations pass tests/spool/delivery_contract_test.cpp. Calls may come from any shard, and
/// resume their caller there.
class DeliveryQueue {
 public:
  virtual ~DeliveryQueue() = default;

  /// Notices of one message are gathered for this long after the first, unless its last copy ends
  /// before.
  static constexpr std::chrono::milliseconds kGather{60'000};

  /// The current time of the store's clock. Never waits.
  virtual base::WallTime now() const noexcept = 0;

  /// The message with those of the given copies that exist; NotFound if none does. Corrupt: one of
  /// its rows cannot be read.
  virtual base::Task<std::expected<mail::QueuedMessage, SpoolError>> load(
      mail::MessageId id, std::vector<std::uint16_t> indices) = 0;

  /// Content chunk `sequence`; "" after the last.
  virtual base::Task<std::expected<std::string, SpoolError>> read(mail::MessageId id,
                                                                  std::uint32_t sequence) = 0;

  /// Records outcomes. A message is removed when all its copies have ended and no notice is left.
  /// May be repeated: what was recorded before is then TooLate. NotFound: the message is gone.
  virtual base::Task<std::expected<RecordAnswer, SpoolError>> record(Update update) = 0;

  /// Holds every waiting copy of a message that cannot be read. Failed copies that cannot be
  /// reported, because they or the message cannot be read, are held as well, and are not owed from
  /// then on; what else is owed for the message is due a minute later.
  virtual base::Task<std::expected<void, SpoolError>> hold_damaged(mail::MessageId id) = 0;

  /// Waiting copies that are due, in the order (next_due, id, index), those after `after`; at most
  /// `limit`. Columns are returned as stored: damage to a row is found only when it is loaded.
  virtual base::Task<std::expected<DuePage, SpoolError>> due(std::optional<DueCursor> after,
                                                             std::size_t limit) = 0;

  /// As due(), for one lane.
  virtual base::Task<std::expected<DuePage, SpoolError>> due_in_lane(LaneKey lane,
                                                                     std::optional<DueCursor> after,
                                                                     std::size_t limit) = 0;

  /// Lanes with waiting copies, in the order of their keys, those after `after`; at most `limit`.
  /// After copies were held, a lane without waiting copies may still be listed, and a due time may
  /// be too early.
  virtual base::Task<std::expected<std::vector<WaitingLane>, SpoolError>> waiting_lanes(
      std::optional<LaneKey> after, std::size_t limit) = 0;

  /// How long until the next waiting copy becomes due that is not due yet; nullopt: there is none.
  /// After copies were held the answer may be too short.
  virtual base::Task<std::expected<std::optional<std::chrono::milliseconds>, SpoolError>>
  next_due_in() = 0;

  /// Makes copies due at once that are put off by more than `longest`, which only a wrong clock can
  /// have done; at most `limit`. Returns how many.
  virtual base::Task<std::expected<std::size_t, SpoolError>> undo_far_due_times(
      std::chrono::milliseconds longest, std::size_t limit) = 0;

  /// Messages whose notices must be reported now, the longest owed first; at most `limit`.
  virtual base::Task<std::expected<std::vector<mail::MessageId>, SpoolError>> reports_due(
      std::size_t limit) = 0;

  /// How long until reports_due() lists another message; nullopt: nothing is owed.
  virtual base::Task<std::expected<std::optional<std::chrono::milliseconds>, SpoolError>>
  next_report_in() = 0;

  /// The notices owed for a message. NotFound: nothing is owed. Corrupt: one of them is about a
  /// copy that cannot be read; after hold_damaged() the others can be had.
  virtual base::Task<std::expected<Notices, SpoolError>> notices(mail::MessageId id) = 0;

  /// Stores the DSNs, due at once, and removes their notices; also the message, when all its copies
  /// have ended. NotFound when one of the notices is gone: another process has reported it.
  virtual base::Task<std::expected<void, SpoolError>> report(Report report) = 0;

  /// True once Poisoned was returned: no further dot may be sent.
  virtual bool poisoned() const noexcept = 0;
};

}  // namespace relay::ports
