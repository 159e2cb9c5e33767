// The queue as the delivery side sees it: which copies are due, what became of them, and the
// notices owed to senders. Made for several processes on any store: callers pass delays, and the
// store's clock gives the time; the result of an attempt counts only if the copy is unchanged since
// it began.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "relay/base/task.hpp"
#include "relay/mail/message.hpp"
#include "relay/ports/content_chunk.hpp"
#include "relay/ports/copy_update.hpp"
#include "relay/ports/due_copies.hpp"
#include "relay/ports/notices.hpp"
#include "relay/ports/spool_error.hpp"

namespace relay::ports {

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
