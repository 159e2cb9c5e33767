// Notices owed to senders: a row for each copy, and one for each message with the time when its DSN
// is due. Writing functions run inside a transaction.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "relay/ports/copy_update.hpp"
#include "relay/ports/notices.hpp"
#include "relay/spool/tally.hpp"

namespace relay::spool {

class Notices {
 public:
  Notices(Connection& connection, Tally& tally);

  /// A failure replaces a delay. A delay is ignored if the sender was told of one for this message.
  void owe(const mail::MessageId& id, std::uint16_t index, ports::Notify kind, base::WallTime now);

  /// The copy was delivered or dropped: removes its notice.
  void cancel(const mail::MessageId& id, std::uint16_t index);

  /// The last copy has ended, so the DSN is due now. False: nothing is owed.
  bool message_ended(const mail::MessageId& id, base::WallTime now);

  bool are_owed(const mail::MessageId& id);

  /// The notices owed for the message, by index.
  std::vector<std::pair<std::uint16_t, ports::Notify>> of(const mail::MessageId& id);

  /// Removes the notices of the report. False: one of them is missing, and nothing was removed.
  /// Other notices of the message become due at `next`, except delays when the sender has heard of
  /// one: they are told once only.
  bool pay(const ports::Report& report, base::WallTime next);

  /// The message cannot be read: its DSN is due again at `at`.
  void put_off(const mail::MessageId& id, base::WallTime at);

  /// The message whose DSN is due longest comes first. A due time later than any valid one was set
  /// by a wrong clock and counts as due.
  std::vector<mail::MessageId> due(base::WallTime now, std::size_t limit);
  std::optional<base::WallTime> next_due(base::WallTime now);

 private:
  bool delay_was_told(const mail::MessageId& id);
  bool is_owed(const mail::MessageId& id, std::uint16_t index, ports::Notify kind);
  void end_report_without_notices(const mail::MessageId& id, std::optional<base::WallTime> next);
  void collect(std::vector<mail::MessageId>& ids, Statement& statement, std::int64_t bound,
               std::size_t limit);

  Connection& connection_;
  Tally& tally_;
  Statement delay_told_, mark_delay_told_, insert_, insert_report_, select_, is_owed_, delete_;
  Statement delete_delays_, any_, report_known_, delete_report_, set_due_, hasten_, due_,
      due_too_late_, first_due_;
};

}  // namespace relay::spool
