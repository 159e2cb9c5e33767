// The queue as the delivery side sees it: what is due, what became of it, and the notices owed to
// senders. Made for more than one store and more than one process: whoever calls passes delays, and
// the store says what time it is; what an attempt reports counts only while the copy is as it was
// when the attempt began.
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

/// The copies for one target domain that leave by one pool. Keys of listings, in this order.
struct LaneKey {
  std::string domain;  ///< folded
  bool risk_pool = false;

  friend auto operator<=>(const LaneKey&, const LaneKey&) = default;
};

/// A lane that holds waiting copies.
struct WaitingLane {
  LaneKey key;
  std::chrono::milliseconds due_in{0};  ///< of its earliest copy; zero or less: it is due
};

/// A waiting copy that is due.
struct DueCopy {
  mail::CopyId copy;
  LaneKey lane;
  std::string alias;  ///< the forward-path as the client gave it, as text
  base::WallTime
      next_due;  ///< of the store's clock; with `copy` the key at which a listing goes on
};

/// Where a listing of due copies goes on: behind this key.
struct DueCursor {
  base::WallTime next_due;
  mail::CopyId copy;
};

/// A piece of a listing of due copies; it may be short, or empty, and there may be more.
struct DuePage {
  std::vector<DueCopy> copies;
  std::optional<DueCursor> next;  ///< nullopt: that was all
};

/// Whether the sender is to hear of what an update says.
enum class Notify : std::uint8_t { Nobody, OfFailure, OfDelay };

/// What one attempt changed about one copy.
struct CopyUpdate {
  std::uint16_t index = 0;
  /// The claim: how many attempts the copy had when this one began. No two attempts begin from the
  /// same number, so a late or repeated answer is known by it.
  std::uint32_t attempts_before = 0;
  mail::RecipientState state = mail::RecipientState::Waiting;  ///< Held: what is stored is damaged
  std::chrono::milliseconds retry_after{0};                    ///< while Waiting
  mail::End end = mail::End::None;  ///< who ended it; None while it is not final
  bool possible_duplicate = false;
  bool warned = false;   ///< a delay was noticed; the copy need not be looked at for that again
  bool overdue = false;  ///< it waits for so long that a fallback is to take over
  /// One for each host asked, in order; the last decides. Not empty.
  std::vector<mail::DeliveryAttempt> attempts;
  Notify notify = Notify::Nobody;
};

/// The outcome of an attempt at copies of one message: one transaction. The transaction that ends a
/// copy writes its notice too, so that there is never a failure without the debt of a DSN.
struct Update {
  mail::MessageId id;
  std::vector<CopyUpdate> copies;
};

/// What the store made of one CopyUpdate.
enum class Recorded : std::uint8_t {
  Yes,          ///< as it was said
  DespiteHold,  ///< delivered, although somebody had held it meanwhile: it cannot be taken back
  StaysHeld,    ///< the attempt is noted, and the copy stays held, as somebody decided meanwhile
  TooLate,      ///< the copy has ended, or another attempt was recorded: nothing was changed
};

/// The fallback of an alias has taken over. The transaction that records the last failure, or that
/// nothing was delivered in time, ends the copies that wait and makes the fallback's: a DSN is owed
/// only when that fails, too.
struct TakeOver {
  std::string alias;                    ///< the forward-path, as text
  std::vector<std::uint16_t> replaced;  ///< copies that waited, and have ended
  std::vector<std::string> targets;     ///< of the copies that were made, as text; due at once
  bool was_late = false;                ///< nothing was delivered in time; else all others failed
};

struct RecordAnswer {
  std::vector<Recorded> copies;  ///< one for each CopyUpdate
  bool message_ended = false;    ///< this was the last copy that had not ended
  std::vector<TakeOver> taken_over = {};
};

/// A failure or a delay of which the sender has not been told.
struct Notice {
  std::uint16_t index = 0;
  Notify kind = Notify::OfFailure;
  mail::Route route;
  mail::DeliveryAttempt attempt;  ///< the last one
  mail::End end = mail::End::None;
  base::WallTime waiting_since;  ///< arrival, or release of a held copy
};

/// Everything a DSN is made of.
struct Notices {
  mail::QueuedMessage queued;   ///< the message with all its copies, ended ones too
  std::vector<Notice> notices;  ///< by index; not empty
};

/// Notices replaced by the DSNs that tell of them, in one transaction. `dsns` may be empty: nobody
/// may be told, and the log says why.
struct Report {
  mail::MessageId id;
  std::vector<std::pair<std::uint16_t, Notify>> notices;  ///< those told of
  std::vector<NewMessage> dsns;
};

/// Implementations pass tests/spool/delivery_contract. Calls come from any shard and resume their
/// caller there.
class DeliveryQueue {
 public:
  virtual ~DeliveryQueue() = default;

  /// Notices of one message are gathered for so long after the first, unless its last copy ends.
  static constexpr std::chrono::milliseconds kGather{60'000};

  /// What the store takes for now. Never waits.
  virtual base::WallTime now() const noexcept = 0;

  /// The message with those of the given copies that are there; at least one, else NotFound.
  /// Corrupt: a row of it cannot be read.
  virtual base::Task<std::expected<mail::QueuedMessage, SpoolError>> load(
      mail::MessageId id, std::vector<std::uint16_t> indices) = 0;

  /// Content chunk `sequence`; "" behind the last.
  virtual base::Task<std::expected<std::string, SpoolError>> read(mail::MessageId id,
                                                                  std::uint32_t sequence) = 0;

  /// Records outcomes. A message goes when all its copies have ended and no notice is left. May be
  /// repeated: what was recorded before is TooLate then. NotFound: the message is gone.
  virtual base::Task<std::expected<RecordAnswer, SpoolError>> record(Update update) = 0;

  /// Holds every waiting copy of a message that cannot be read, without reading it.
  virtual base::Task<std::expected<void, SpoolError>> hold_damaged(mail::MessageId id) = 0;

  /// Waiting copies that are due, behind `after`, by (next_due, id, index), at most limit. The
  /// columns are given as they are: a damaged row is found when it is loaded.
  virtual base::Task<std::expected<DuePage, SpoolError>> due(std::optional<DueCursor> after,
                                                             std::size_t limit) = 0;

  /// The same of one lane.
  virtual base::Task<std::expected<DuePage, SpoolError>> due_in_lane(LaneKey lane,
                                                                     std::optional<DueCursor> after,
                                                                     std::size_t limit) = 0;

  /// Lanes with waiting copies, behind `after`, by key, at most limit. A lane whose copies have all
  /// been held may still be named; so may an earlier due time than its first copy has.
  virtual base::Task<std::expected<std::vector<WaitingLane>, SpoolError>> waiting_lanes(
      std::optional<LaneKey> after, std::size_t limit) = 0;

  /// How long until a waiting copy becomes due that is not due now; nullopt: there is none. Where
  /// copies have been held it may be less.
  virtual base::Task<std::expected<std::optional<std::chrono::milliseconds>, SpoolError>>
  next_due_in() = 0;

  /// Makes due now what is put off for longer than `longest`: a wrong clock did that. At most
  /// limit; returns how many.
  virtual base::Task<std::expected<std::size_t, SpoolError>> undo_far_due_times(
      std::chrono::milliseconds longest, std::size_t limit) = 0;

  /// Messages whose notices are to be told of now, the longest owed first, at most limit.
  virtual base::Task<std::expected<std::vector<mail::MessageId>, SpoolError>> reports_due(
      std::size_t limit) = 0;

  /// How long until reports_due() will name another message; nullopt: nothing is owed.
  virtual base::Task<std::expected<std::optional<std::chrono::milliseconds>, SpoolError>>
  next_report_in() = 0;

  /// NotFound: nothing is owed for that message.
  virtual base::Task<std::expected<Notices, SpoolError>> notices(mail::MessageId id) = 0;

  /// Pays: stores the DSNs, due at once, and takes the notices away; with them the message when all
  /// its copies have ended. NotFound when one of the notices is gone: somebody else has paid.
  virtual base::Task<std::expected<void, SpoolError>> report(Report report) = 0;

  /// True once Poisoned was seen: no other dot may be sent.
  virtual bool poisoned() const noexcept = 0;
};

}  // namespace relay::ports
